// SPDX-License-Identifier: GPL-2.0-only
/*
 * Actions pause and stop, on MSRs: where a held vCPU stands, what its VMM can do
 * with it, what each answer does and for how long, and what ends a stop.
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

/* An event of an answer to what @event told. */
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
	struct regpin_event told;
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1);
	vcpu = &s.vcpu[0];
	ok(!is_held(vcpu) && regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) ==
	   -EINVAL, "nothing is held, nothing can be answered");
	tiny_prepare(vcpu, TINY_WRMSR, MSR_EFER, EFER_NX_OFF);
	before = scene_regs(vcpu);
	ok(tiny_run(vcpu) == TINY_HELD, "a write that violates: held");
	after = scene_regs(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)) &&
	   after.rip == TINY_WRMSR, "all registers as before the instruction");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_ON, "nothing is written");
	ok(s.nr_events == 1 && s.events[0].type == REGPIN_EVENT_VIOLATION &&
	   s.events[0].action == REGPIN_PAUSE && s.events[0].bits == EFER_NXE &&
	   s.events[0].value == EFER_ON && s.events[0].rip == TINY_WRMSR,
	   "one event says so");
	memset(&told, 0, sizeof(told));
	ok(regpin_vcpu_status(vcpu->regpin, &told) ==
		   (REGPIN_IS_HELD | REGPIN_IS_ARMED) &&
	   told.index == MSR_EFER && told.new_value == EFER_NX_OFF &&
	   told.rule == s.events[0].rule, "its status tells the same");
	s.nr_events = 0;
	for (int i = 0; i < 3; i++)
		ok(tiny_run(vcpu) == TINY_HELD && scene_silent(&s),
		   "asked again: held, and no word more");
	ok(regpin_vcpu_answer(vcpu->regpin, REGPIN_MASK) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, REGPIN_REPORT) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, REGPIN_PAUSE) == -EINVAL &&
	   regpin_vcpu_answer(vcpu->regpin, 77) == -EINVAL,
	   "answers are allow, gp and stop");
	ok(is_held(vcpu), "and it waits on");
	scene_close(&s);
}

/* All that savevm and migration do to a vCPU, while it is held. */
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
	   "its VMM reads the whole state");
	ok(!ioctl(vcpu->fd, KVM_SET_REGS, &regs) &&
	   !tiny_set_sregs(vcpu, &sregs) &&
	   !tiny_set_msr(vcpu, MSR_STAR, 0xff) &&
	   !ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) &&
	   !ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp),
	   "and writes it back");
	ok(tiny_run(vcpu) == TINY_HELD && scene_silent(&s), "it is still held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "and the answer holds for it");
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
	   "allow");
	ok(regpin_vcpu_answer(vcpu->regpin, REGPIN_GP) == -EINVAL,
	   "a second answer comes too late");
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "the guest goes on, and has written");
	ok(answered(&s, REGPIN_ALLOW), "one event: answered");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "it sets the bit again");
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "the same write once more is held again");
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
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_GP), "gp");
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_WRMSR) == TINY_GP,
	   "the guest gets #GP");
	ok(answered(&s, REGPIN_GP), "one event: answered");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_ON, "nothing is written");
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "again: held again");
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
	   "a reserved bit, and NXE off: held");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_WRMSR) == TINY_GP &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON, "allowed, it is a #GP");
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
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_RDMSR), "allowed");
	regs = scene_regs(vcpu);
	ok(((uint32_t)regs.rax | regs.rdx << 32) == scene_msr(vcpu, MSR_PAT),
	   "it gets the register");
	ok(scene_only(&s, REGPIN_EVENT_ANSWERED), "one event");
	tiny_rdmsr(vcpu, MSR_PAT, &value);
	regpin_vcpu_answer(vcpu->regpin, REGPIN_GP);
	ok(!tiny_run(vcpu) && tiny_outcome(vcpu, TINY_RDMSR) == TINY_GP,
	   "or #GP, as answered");
	scene_close(&s);
}

/*
 * The answer is for one access. Whatever else the guest does instead, by its VMM's
 * hand here, by an interrupt in life, is judged as ever.
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
	   "allowed, but it writes another value: held for that");
	s.nr_events = 0;
	regpin_vcpu_answer(vcpu->regpin, REGPIN_GP);
	ok(try_nx_off(vcpu) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "the first answer is not kept for later");

	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	tiny_prepare(vcpu, TINY_CODE, MSR_EFER, EFER_NX_OFF);
	ok(tiny_run(vcpu) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "the same write at another place: held");

	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_STAR, 0) == TINY_HELD &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1,
	   "another register: held");

	/* What needs no answer may come in between, and changes nothing. */
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	s.nr_events = 0;
	tiny_prepare(vcpu, TINY_WRMSR, MSR_STAR, 0);
	regs = scene_regs(vcpu);
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0x300), "an allowed write between");
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_STAR) == 0 &&
	   scene_only(&s, REGPIN_EVENT_ANSWERED),
	   "then the one that was answered: it is done");
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
	   "a reset lets it go");
	tiny_set_mode(vcpu, TINY_LONG, 0);
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && !try_nx_off(vcpu),
	   "it runs, without pins");
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(try_nx_off(vcpu) == TINY_HELD, "armed again, it is held again");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	tiny_reset(vcpu);
	tiny_set_mode(vcpu, TINY_LONG, 0);
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(try_nx_off(vcpu) == TINY_HELD && !scene_count(&s,
	   REGPIN_EVENT_ANSWERED), "an answer does not outlive a reset");
	scene_close(&s);
}

/* A kick of the VMM's that comes with the exit must still be seen by KVM. */
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
	   "held while the VMM kicks: immediate_exit stays");
	regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW);
	ok(tiny_run(vcpu) == -EINTR && scene_regs(vcpu).rip == TINY_WRMSR &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON, "and ends the next KVM_RUN");
	vcpu->run->immediate_exit = 0;
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF,
	   "the answer waits for the guest");
	scene_close(&s);
}

/* After @stop: no vCPU enters, whatever its VMM tries, but for a reset. */
static void check_stopped(struct scene *s, struct tiny_vcpu *crasher,
			  struct tiny_vcpu *other)
{
	ok(regpin_vm_status(s->vm.regpin) & REGPIN_IS_STOPPED,
	   "the VM's status says stopped");
	for (int i = 0; i < 2; i++)
		ok(tiny_run(crasher) == TINY_STOPPED &&
		   tiny_run(other) == TINY_STOPPED &&
		   tiny_wrmsr(other, MSR_STAR, 1) == TINY_STOPPED,
		   "no vCPU enters");
	ok(regpin_vcpu_answer(crasher->regpin, REGPIN_ALLOW) == -EINVAL,
	   "nor by an answer");
	ok(!regpin_vm_arm(s->vm.regpin) && tiny_run(other) == TINY_STOPPED,
	   "nor by the operator's arm");
	regpin_vm_disarm(s->vm.regpin);
	ok(tiny_run(crasher) == TINY_STOPPED, "nor by disarm");
	regpin_vm_arm(s->vm.regpin);
	tiny_reset(other);
	ok(tiny_run(other) == TINY_STOPPED && tiny_run(crasher) ==
	   TINY_STOPPED, "nor by the reset of another vCPU");
	tiny_reset(crasher);
	tiny_set_mode(other, TINY_LONG, 0);
	tiny_set_mode(crasher, TINY_LONG, 0);
	ok(!tiny_wrmsr(other, MSR_EFER, EFER_ON) &&
	   !tiny_wrmsr(crasher, MSR_EFER, EFER_ON) &&
	   !(regpin_vm_status(s->vm.regpin) & REGPIN_IS_STOPPED),
	   "a VM reset does it");
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
	ok(tiny_run(vcpu) == TINY_STOPPED, "a write that violates: stopped");
	after = scene_regs(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)) &&
	   scene_msr(vcpu, MSR_EFER) == EFER_ON,
	   "it stands before the instruction, for who looks at it");
	ok(s.events[0].action == REGPIN_STOP && s.events[0].bits == EFER_NXE &&
	   s.events[0].rip == TINY_WRMSR &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "one event");
	check_stopped(&s, vcpu, &s.vcpu[1]);
	scene_close(&s);

	open_scene(&s, REGPIN_PAUSE, 2);
	vcpu = &s.vcpu[1];
	try_nx_off(vcpu);
	s.nr_events = 0;
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_STOP) &&
	   tiny_run(vcpu) == TINY_STOPPED && answered(&s, REGPIN_STOP),
	   "held, and answered by stop");
	check_stopped(&s, vcpu, &s.vcpu[0]);
	scene_close(&s);
}

/* One vCPU that waits is no one else's business. */
static void test_others_run(void)
{
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 2);
	try_nx_off(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!tiny_wrmsr(&s.vcpu[1], MSR_SFMASK, 0x300) && scene_silent(&s) &&
	   is_held(&s.vcpu[0]), "the other vCPU runs");
	ok(try_nx_off(&s.vcpu[1]) == TINY_HELD && is_held(&s.vcpu[0]) &&
	   is_held(&s.vcpu[1]), "until it is held itself");
	regpin_vcpu_answer(s.vcpu[1].regpin, REGPIN_GP);
	ok(!tiny_run(&s.vcpu[1]) &&
	   tiny_outcome(&s.vcpu[1], TINY_WRMSR) == TINY_GP &&
	   tiny_run(&s.vcpu[0]) == TINY_HELD, "each has its own answer");
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
