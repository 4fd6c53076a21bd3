// SPDX-License-Identifier: GPL-2.0-only
/*
 * The actions pause and stop on MSRs: the state in which a vCPU is held, what its VMM
 * can do with it, the effect and the duration of each answer, and what ends a stop.
 */
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define OTHER		0xffffffff82000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull

static void open_scene(struct scene *s, unsigned int action,
		       unsigned int nr_vcpus)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, action);
	add_pin(policy, RULE_STICKY, MSR_STAR, 0xff, action);
	add_deny(policy, MSR_PAT, 1, ACCESS_READ, action);
	scene_open(s, policy, nr_vcpus, TINY_LONG);
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		tiny_wrmsr(&s->vcpu[i], MSR_EFER, EFER_ON);
		tiny_wrmsr(&s->vcpu[i], MSR_STAR, 0xff);
		tiny_wrmsr(&s->vcpu[i], MSR_LSTAR, KERNEL);
		tiny_wrmsr(&s->vcpu[i], MSR_SFMASK, 0x700);
	}
	s->nr_events = 0;
}

static bool is_held(struct tiny_vcpu *vcpu)
{
	return regpin_vcpu_status(vcpu->regpin, NULL) & REGPIN_IS_HELD;
}

static int try_nx_off(struct tiny_vcpu *vcpu)
{
	return tiny_wrmsr(vcpu, MSR_EFER, EFER_NX_OFF);
}

/* Is there an event of an answer to @event? */
static bool answered(struct scene *s, unsigned int action)
{
	const struct regpin_event *e = &s->events[0];

	return e->action == action && e->kind == REGPIN_MSR &&
	       e->index == MSR_EFER && e->new_value == EFER_NX_OFF &&
	       scene_only(s, REGPIN_EVENT_ANSWERED);
}

static void test_held(void)
{
	struct kvm_regs before, after;
	struct regpin_event status;
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	ok(!is_held(vcpu) && regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) ==
	   -EINVAL, "without a held vCPU an answer is refused");
	tiny_prepare(vcpu, TINY_WRMSR, MSR_EFER, EFER_NX_OFF);
	before = scene_regs(vcpu);
	ok(tiny_run(vcpu) == TINY_HELD, "a write that violates holds the vCPU");
	after = scene_regs(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)) &&
	   after.rip == TINY_WRMSR,
	   "a held vCPU has the registers from before the instruction");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_ON, "the held write is not done");
	ok(s.nr_events == 1 && s.events[0].type == REGPIN_EVENT_VIOLATION &&
	   s.events[0].action == REGPIN_PAUSE && s.events[0].bits == EFER_NXE &&
	   s.events[0].value == EFER_ON && s.events[0].rip == TINY_WRMSR,
	   "the held write is one event");
	memset(&status, 0, sizeof(status));
	ok(regpin_vcpu_status(vcpu->regpin, &status) ==
		   (REGPIN_IS_HELD | REGPIN_IS_ARMED) &&
	   status.index == MSR_EFER && status.new_value == EFER_NX_OFF &&
	   status.rule == s.events[0].rule, "the vCPU's status has the same event");
	s.nr_events = 0;
	for (int i = 0; i < 3; i++)
		ok(tiny_run(vcpu) == TINY_HELD && scene_silent(&s),
		   "another entry is refused without another event");
	ok(regpin_vcpu_answer(vcpu->regpin, REGPIN_MASK) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, REGPIN_REPORT) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, REGPIN_PAUSE) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, 77) == -EINVAL,
	   "answers other than allow, gp and stop are refused");
	ok(is_held(vcpu), "a refused answer does not release the vCPU");
	scene_close(&s);
}

/* The VMM does everything that savevm and migration do to a vCPU, while it is held. */
static void test_vmm_goes_on(void)
{
	static struct kvm_xsave xsave;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_mp_state mp;
	struct tiny_vcpu *vcpu;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	try_nx_off(vcpu);
	s.nr_events = 0;
	ok(!ioctl(vcpu->fd, KVM_GET_REGS, &regs) &&
	   !ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) &&
	   !ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) &&
	   !ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp) &&
	   !ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug) &&
	   !ioctl(vcpu->fd, KVM_GET_XSAVE, &xsave),
	   "the VMM can read the whole state of a held vCPU");
	ok(!ioctl(vcpu->fd, KVM_SET_REGS, &regs) &&
	   !tiny_set_sregs(vcpu, &sregs) &&
	   !tiny_set_msr(vcpu, MSR_STAR, 0xff) &&
	   !ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) &&
	   !ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp),
	   "the VMM can write that state back");
	ok(tiny_run(vcpu) == TINY_HELD && scene_silent(&s), "the vCPU is still held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "the answer applies to the held write after that");
	scene_close(&s);
}

static void test_allow(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	try_nx_off(vcpu);
	s.nr_events = 0;
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) && !is_held(vcpu),
	   "the operator answers with allow");
	ok(regpin_vcpu_answer(vcpu->regpin, REGPIN_GP) == -EINVAL,
	   "a second answer is refused");
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "allow: the guest continues, and the write is done");
	ok(answered(&s, REGPIN_ALLOW), "allow: the answer is one event");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "the guest may set the bit again");
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "the same write is held again the next time");
	scene_close(&s);
}

static void test_gp(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	try_nx_off(vcpu);
	s.nr_events = 0;
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_GP), "the operator answers with gp");
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_WRMSR) == TINY_GP,
	   "gp: the guest gets #GP");
	ok(answered(&s, REGPIN_GP), "gp: the answer is one event");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_ON, "gp: the write is not done");
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "gp: the same write is held again the next time");
	scene_close(&s);
}

/* An allowed write is still the guest's: what hardware refuses is a #GP. */
static void test_allow_invalid(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	ok(tiny_wrmsr(vcpu, MSR_EFER, 1ull << 60) == TINY_HELD,
	   "a write with a reserved bit that clears NXE is held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_WRMSR) == TINY_GP &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON,
	   "the write is allowed, and the reserved bit makes it a #GP");
	scene_close(&s);
}

static void test_reads(void)
{
	struct tiny_vcpu *vcpu;
	uint64_t value = 0;
	struct kvm_regs regs;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	ok(tiny_rdmsr(vcpu, MSR_PAT, &value) == TINY_HELD &&
	   !s.events[0].write && scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "a denied read is held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_RDMSR), "allow: the read is done");
	regs = scene_regs(vcpu);
	ok(((uint32_t)regs.rax | regs.rdx << 32) == scene_msr(vcpu, MSR_PAT),
	   "allow: the read gives the register's value");
	ok(scene_only(&s, REGPIN_EVENT_ANSWERED), "allow: the answer is one event");
	tiny_rdmsr(vcpu, MSR_PAT, &value);
	regpin_vcpu_answer(vcpu->regpin, REGPIN_GP);
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_RDMSR) == TINY_GP,
	   "gp: the read is a #GP");
	scene_close(&s);
}

/*
 * An answer applies to one access. Any other access that the guest makes instead, here
 * because its VMM changes it and in practice after an interrupt, is judged as usual.
 */
static void test_ticket(void)
{
	static const uint8_t wrmsr[] = { 0x0f, 0x30, 0xf4 };
	struct tiny_vcpu *vcpu;
	struct kvm_regs regs;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	memcpy(s.vm.memory + TINY_CODE, wrmsr, sizeof(wrmsr));

	try_nx_off(vcpu);
	s.nr_events = 0;
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(tiny_wrmsr(vcpu, MSR_EFER, EFER_NX_OFF & ~EFER_SCE) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1 &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON,
	   "another value than the allowed one is held");
	s.nr_events = 0;
	regpin_vcpu_answer(vcpu->regpin, REGPIN_GP);
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "the first answer does not apply later");

	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	tiny_prepare(vcpu, TINY_CODE, MSR_EFER, EFER_NX_OFF);
	ok(tiny_run(vcpu) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "the same write at another address is held");

	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_STAR, 0) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "a write to another register is held");

	/* An access that needs no answer may come in between, and changes nothing. */
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	tiny_prepare(vcpu, TINY_WRMSR, MSR_STAR, 0);
	regs = scene_regs(vcpu);
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0x300),
	   "a write that violates no rule is done in between");
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_STAR) == 0 &&
	   scene_only(&s, REGPIN_EVENT_ANSWERED),
	   "the answered write is done after that");
	scene_close(&s);
}

static void test_reset_while_held(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	try_nx_off(vcpu);
	s.nr_events = 0;
	tiny_reset(vcpu);
	ok(scene_only(&s, REGPIN_EVENT_RESET) && !is_held(vcpu) &&
	   regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) == -EINVAL,
	   "a reset releases the vCPU");
	tiny_set_mode(vcpu, TINY_LONG, 0);
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && !try_nx_off(vcpu),
	   "after the reset the vCPU runs without pins");
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(try_nx_off(vcpu) == TINY_HELD, "after arming again the write is held again");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	tiny_reset(vcpu);
	tiny_set_mode(vcpu, TINY_LONG, 0);
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(try_nx_off(vcpu) == TINY_HELD && !scene_count(&s,
	   REGPIN_EVENT_ANSWERED), "an answer does not survive a reset");
	scene_close(&s);
}

/* A kick of the VMM that comes at the same time as the exit must not be lost. */
static void test_immediate_exit(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	tiny_prepare(vcpu, TINY_WRMSR, MSR_EFER, EFER_NX_OFF);
	regpin_vcpu_enter(vcpu->regpin);
	ok(!ioctl(vcpu->fd, KVM_RUN, 0) &&
	   vcpu->run->exit_reason == KVM_EXIT_X86_WRMSR, "a WRMSR exits");
	vcpu->run->immediate_exit = 1;
	ok(regpin_vcpu_exit(vcpu->regpin) == 1 && is_held(vcpu) &&
	   vcpu->run->immediate_exit == 1,
	   "a kick by the VMM is kept in immediate_exit while the vCPU is held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(tiny_run(vcpu) == -EINTR && scene_regs(vcpu).rip == TINY_WRMSR &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON, "the kick ends the next KVM_RUN");
	vcpu->run->immediate_exit = 0;
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "the answer is kept until the guest repeats the write");
	scene_close(&s);
}

/* After a stop no vCPU enters, whatever the VMM tries, until a reset. */
static void check_stopped(struct scene *s, struct tiny_vcpu *crashing,
			  struct tiny_vcpu *other)
{
	ok(regpin_vm_status(s->vm.regpin) & REGPIN_IS_STOPPED,
	   "the VM's status is stopped");
	for (int i = 0; i < 2; i++)
		ok(tiny_run(crashing) == TINY_STOPPED &&
		   tiny_run(other) == TINY_STOPPED &&
		   tiny_wrmsr(other, MSR_STAR, 1) == TINY_STOPPED,
		   "no vCPU enters");
	ok(regpin_vcpu_answer(crashing->regpin, REGPIN_ALLOW) == -EINVAL,
	   "an answer does not end the stop");
	ok(!regpin_vm_arm(s->vm.regpin) && tiny_run(other) == TINY_STOPPED,
	   "the operator's arm does not end the stop");
	regpin_vm_disarm(s->vm.regpin);
	ok(tiny_run(crashing) == TINY_STOPPED, "disarm does not end the stop");
	regpin_vm_arm(s->vm.regpin);
	tiny_reset(other);
	ok(tiny_run(other) == TINY_STOPPED && tiny_run(crashing) ==
	   TINY_STOPPED, "the reset of another vCPU does not let this one run");
	tiny_reset(crashing);
	tiny_set_mode(other, TINY_LONG, 0);
	tiny_set_mode(crashing, TINY_LONG, 0);
	ok(!tiny_wrmsr(other, MSR_EFER, EFER_ON) &&
	   !tiny_wrmsr(crashing, MSR_EFER, EFER_ON) &&
	   !(regpin_vm_status(s->vm.regpin) & REGPIN_IS_STOPPED),
	   "a reset of the VM ends the stop");
}

static void test_stop(void)
{
	struct kvm_regs before, after;
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_STOP, 2);
	vcpu = &s.vcpu[0];
	tiny_prepare(vcpu, TINY_WRMSR, MSR_EFER, EFER_NX_OFF);
	before = scene_regs(vcpu);
	ok(tiny_run(vcpu) == TINY_STOPPED, "a write that violates stops the VM");
	after = scene_regs(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON,
	   "RIP is at the instruction, for post-mortem inspection");
	ok(s.events[0].action == REGPIN_STOP && s.events[0].bits == EFER_NXE &&
	   s.events[0].rip == TINY_WRMSR &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "a stop is one event");
	check_stopped(&s, vcpu, &s.vcpu[1]);
	scene_close(&s);

	open_scene(&s, REGPIN_PAUSE, 2);
	vcpu = &s.vcpu[1];
	try_nx_off(vcpu);
	s.nr_events = 0;
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_STOP) &&
	   tiny_run(vcpu) == TINY_STOPPED && answered(&s, REGPIN_STOP),
	   "a held write that is answered by stop stops the VM");
	check_stopped(&s, vcpu, &s.vcpu[0]);
	scene_close(&s);
}

/* A held vCPU does not affect the others. */
static void test_others_run(void)
{
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 2);
	try_nx_off(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!tiny_wrmsr(&s.vcpu[1], MSR_SFMASK, 0x300) && scene_silent(&s) &&
	   is_held(&s.vcpu[0]), "the other vCPU runs while one is held");
	ok(try_nx_off(&s.vcpu[1]) == TINY_HELD && is_held(&s.vcpu[0]) &&
	   is_held(&s.vcpu[1]), "the other vCPU can be held, too");
	regpin_vcpu_answer(s.vcpu[1].regpin, REGPIN_GP);
	ok(!tiny_run(&s.vcpu[1]) &&
	   tiny_outcome(&s.vcpu[1], TINY_WRMSR) == TINY_GP &&
	   tiny_run(&s.vcpu[0]) == TINY_HELD, "each held vCPU has its own answer");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_held();
	test_vmm_goes_on();
	test_allow();
	test_gp();
	test_allow_invalid();
	test_reads();
	test_ticket();
	test_reset_while_held();
	test_immediate_exit();
	test_stop();
	test_others_run();
	return tap_done();
}
