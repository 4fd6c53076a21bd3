// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that KVM has yet to complete when a vCPU does not enter again: the VMM's own
 * I/O, MMIO and MSR exits, which a stop or a hold must not leave incomplete, and a
 * debugger's step over an instruction that is held.
 */
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull
#define NOWHERE		0x300000u	/* no memory there */
#define THERMAL		0x19cu		/* an MSR of the VMM's own filter */

static void open_scene(struct scene *s, unsigned int action,
		       unsigned int nr_vcpus, enum tiny_mode mode)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_pin(policy, RULE_STICKY, MSR_STAR, 0xff, action);
	scene_open(s, policy, nr_vcpus, mode);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		tiny_wrmsr(&s->vcpu[i], MSR_STAR, 0xff);
	s->nr_events = 0;
}

/* Puts @code at TINY_CODE and runs it until an exit that is the VMM's. */
static bool run_code(struct tiny_vcpu *vcpu, const void *code, size_t size,
		     uint32_t reason)
{
	int ret;

	memcpy(vcpu->vm->memory + TINY_CODE, code, size);
	tiny_prepare(vcpu, TINY_CODE, THERMAL, 0);
	ret = tiny_run(vcpu);
	if (!ret && vcpu->run->exit_reason == reason)
		return true;
	printf("# returned %d, exit %u\n", ret, vcpu->run->exit_reason);
	return false;
}

/* The other vCPU violates a rule whose action is `stop`. */
static bool stop_by_other(struct scene *s)
{
	tiny_prepare(&s->vcpu[1], TINY_WRMSR, MSR_STAR, 0);
	return tiny_run(&s->vcpu[1]) == TINY_STOPPED;
}

/* The vCPU is stopped, and all registers are those after the instruction. */
static bool stopped_behind(struct tiny_vcpu *vcpu, size_t size, uint64_t rax)
{
	struct kvm_regs regs;
	int ret = tiny_run(vcpu);

	regs = scene_regs(vcpu);
	if (ret == TINY_STOPPED && regs.rip == TINY_CODE + size &&
	    (uint32_t)regs.rax == rax)
		return true;
	printf("# returned %d, RIP %#llx, RAX %#llx\n", ret, regs.rip, regs.rax);
	return false;
}

static void test_io(void)
{
	static const uint8_t code[] = { 0xe5, 0x10, 0xf4 };	/* in $0x10, %eax */
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_STOP, 2, TINY_LONG);
	vcpu = &s.vcpu[0];
	ok(run_code(vcpu, code, sizeof(code), KVM_EXIT_IO), "an IN exits");
	memcpy((uint8_t *)vcpu->run + vcpu->run->io.data_offset, "\x0d\xf0\xad\x0b",
	       4);
	ok(stop_by_other(&s), "the VM is stopped before the IN is complete");
	ok(stopped_behind(vcpu, 2, 0x0badf00d),
	   "the IN is complete in the state that a VMM would save");
	ok(!vcpu->run->immediate_exit, "immediate_exit is unchanged");
	ok(stopped_behind(vcpu, 2, 0x0badf00d), "the IN is completed only once");
	scene_close(&s);
}

static void test_mmio(void)
{
	/* mov NOWHERE + 0xffe, %eax: two bytes on each of two pages */
	static const uint8_t code[] = { 0xa1, 0xfe, 0x0f, 0x30, 0x00, 0xf4 };
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_STOP, 2, TINY_PROTECTED);
	vcpu = &s.vcpu[0];
	ok(run_code(vcpu, code, sizeof(code), KVM_EXIT_MMIO) &&
	   vcpu->run->mmio.phys_addr == NOWHERE + 0xffe, "an MMIO read exits");
	memset(vcpu->run->mmio.data, 0x11, 8);
	ok(stop_by_other(&s), "the VM is stopped before the read is complete");
	if (vcpu->run->mmio.len == 2) {
		ok(!tiny_run(vcpu) &&
		   vcpu->run->exit_reason == KVM_EXIT_MMIO &&
		   vcpu->run->mmio.phys_addr == NOWHERE + 0x1000,
		   "the second half of the read is left to the VMM");
		memset(vcpu->run->mmio.data, 0x22, 8);
		ok(stopped_behind(vcpu, 5, 0x22221111),
		   "the read is complete after its second half");
	} else {
		tap_skip("an MMIO read in two halves",
			 "this KVM makes one exit of it");
		ok(stopped_behind(vcpu, 5, 0x11111111),
		   "the read is complete in the state that a VMM would save");
	}
	scene_close(&s);
}

/* An MSR that the VMM's own filter denies. */
static void test_msr(void)
{
	static const uint8_t code[] = { 0x0f, 0x32, 0xf4 };	/* rdmsr */
	uint8_t denied[8] = { 0 };
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ, .nmsrs = 1,
			       .base = THERMAL, .bitmap = denied },
	};
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_STOP, 2, TINY_LONG);
	vcpu = &s.vcpu[0];
	ok(!regpin_vm_set_user_msr(s.vm.regpin, KVM_MSR_EXIT_REASON_FILTER) &&
	   !regpin_vm_set_msr_filter(s.vm.regpin, &filter),
	   "the VMM has a filter of its own");
	ok(run_code(vcpu, code, sizeof(code), KVM_EXIT_X86_RDMSR),
	   "an RDMSR exits to the VMM");
	vcpu->run->msr.error = 0;
	vcpu->run->msr.data = 0x1234;
	ok(stop_by_other(&s), "the VM is stopped before the RDMSR is complete");
	ok(stopped_behind(vcpu, 2, 0x1234),
	   "the RDMSR is complete in the state that a VMM would save");
	scene_close(&s);
}

static bool single_step(struct tiny_vcpu *vcpu, bool on)
{
	struct kvm_guest_debug debug = {
		.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0,
	};

	return !ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* The VMM's debugger sees RIP after the instruction. */
static bool stepped(struct tiny_vcpu *vcpu, uint32_t at)
{
	int ret = tiny_run(vcpu);

	if (!ret && vcpu->run->exit_reason == KVM_EXIT_DEBUG &&
	    scene_regs(vcpu).rip == at + 2)
		return true;
	printf("# returned %d, exit %u, RIP %#llx\n", ret,
	       vcpu->run->exit_reason, scene_regs(vcpu).rip);
	return false;
}

static void test_debugger(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	if (!single_step(vcpu, true)) {
		tap_skip("a debugger's step", "this KVM has no KVM_SET_GUEST_DEBUG");
		scene_close(&s);
		return;
	}
	tiny_prepare(vcpu, TINY_WRMSR, MSR_STAR, 0xff);
	ok(stepped(vcpu, TINY_WRMSR), "a step over an allowed WRMSR works");
	tiny_prepare(vcpu, TINY_WRMSR, MSR_STAR, 1);
	ok(tiny_run(vcpu) == TINY_HELD && scene_regs(vcpu).rip == TINY_WRMSR &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "a step over a WRMSR that violates holds the vCPU before it");
	ok(tiny_run(vcpu) == TINY_HELD && scene_silent(&s),
	   "the vCPU is still held at the next entry");
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) &&
	   stepped(vcpu, TINY_WRMSR) && scene_msr(vcpu, MSR_STAR) == 1,
	   "after allow the step goes over the WRMSR, with one event");
	single_step(vcpu, false);
	ok(!tiny_run(vcpu) && vcpu->run->exit_reason == KVM_EXIT_HLT,
	   "the vCPU runs on without a debugger");
	scene_close(&s);
}

/*
 * The operator's change comes while the exit of the step is answered and not yet
 * complete.
 */
static void test_step_and_alert(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_REPORT, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	if (!single_step(vcpu, true)) {
		tap_skip("a step and an alert", "this KVM has no KVM_SET_GUEST_DEBUG");
		scene_close(&s);
		return;
	}
	tiny_prepare(vcpu, TINY_WRMSR, MSR_STAR, 1);
	ok(regpin_vcpu_enter(vcpu->regpin) == REGPIN_ENTER &&
	   !ioctl(vcpu->fd, KVM_RUN, NULL) && regpin_vcpu_exit(vcpu->regpin),
	   "a WRMSR in a step is judged");
	regpin_vcpu_tick(vcpu->regpin);
	ok(stepped(vcpu, TINY_WRMSR), "a look before its completion does not lose the step");
	single_step(vcpu, false);
	ok(!tiny_run(vcpu) && vcpu->run->exit_reason == KVM_EXIT_HLT,
	   "the vCPU runs on after the step");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_io();
	test_mmio();
	test_msr();
	test_debugger();
	test_step_and_alert();
	return tap_done();
}
