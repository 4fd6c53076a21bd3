// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming, set-up, loading of a state, and the VMM's own writes, with one and two vCPUs.
 */
#include "kernel_scene.h"

static void test_arming(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_EFER, 0xd00);
	ok(!nx_is_pinned(vcpu), "before arming NXE is not pinned");
	tiny_wrmsr(vcpu, MSR_LSTAR, 0);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(scene_silent(&s), "LSTAR := 0 and SFMASK do not arm");
	tiny_wrmsr(vcpu, MSR_EFER, 0xd00);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "a value in LSTAR arms");
	ok(nx_is_pinned(vcpu), "after arming NXE is pinned");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "after arming SCE may be set");
	ok(tiny_wrmsr(vcpu, MSR_EFER, 0xd00) == TINY_GP,
	   "SCE is sticky after it was set");
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, 0) && nx_is_pinned(vcpu),
	   "LSTAR := 0 does not disarm");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) && scene_silent(&s),
	   "a new LSTAR after that does not arm again");
	scene_close(&s);

	scene_open(&s, nx_policy(ARM_START), 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_EFER, EFER_ON);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(&s.vcpu[0]),
	   "arming: start needs no LSTAR");
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	s.nr_events = 0;
	tiny_wrmsr(&s.vcpu[0], MSR_EFER, EFER_ON);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(&s.vcpu[0]),
	   "arming: start arms again at once after a reset");
	scene_close(&s);
}

static void test_set_up(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL),
	   "once: CSTAR may be written during the set-up, as it was 0");
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL), "once: the same value may be written again");
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP, "once: another value is refused");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "once: another LSTAR is refused");
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 5),
	   "uniform: STAR may be written before the value is settled");
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0), "SFMASK := 0 ends the set-up");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP &&
	   !tiny_wrmsr(vcpu, MSR_STAR, 5),
	   "uniform: another STAR is refused after the value is settled");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "if SFMASK is first, LSTAR ends the set-up, and CSTAR is pinned as 0");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL),
	   "armed from the start, with SFMASK first, LSTAR may still be written");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "LSTAR may be written only once");
	scene_close(&s);
}

static void test_two_vcpus(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "the first vCPU arms");
	if (tiny_no_unpaged_lme()) {
		tap_skip("uniform EFER, paging off", tiny_no_unpaged_lme());
	} else {
		tiny_set_mode(two, TINY_PROTECTED, 0);
		ok(!tiny_wrmsr(two, MSR_EFER, EFER_ON & ~EFER_LMA),
		   "uniform EFER ignores LMA, so the trampoline's write is allowed");
		ok(tiny_wrmsr(two, MSR_EFER, 0x100) == TINY_GP,
		   "uniform EFER refuses a value without NXE");
	}
	tiny_set_mode(two, TINY_LONG, 0);
	s.nr_events = 0;
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "the second vCPU cannot set another LSTAR");
	ok(s.events[0].vcpu == 1 && s.events[0].bits == ALL &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "the second vCPU's other LSTAR is an event");
	boot(two, KERNEL);
	ok(s.events[0].vcpu == 1 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "the second vCPU arms with the same values");
	ok(nx_is_pinned(one) && nx_is_pinned(two), "both vCPUs are pinned");

	s.nr_events = 0;
	tiny_reset(one);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_RESET),
	   "the reset of one vCPU is one event");
	tiny_set_mode(one, TINY_LONG, 0);
	tiny_wrmsr(one, MSR_EFER, EFER_ON);
	ok(nx_is_pinned(two), "the other vCPU is still pinned");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP,
	   "the VM's values hold while one vCPU is armed");
	tiny_reset(two);
	s.nr_events = 0;
	boot(one, OTHER);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(one),
	   "after a reset of all vCPUs another kernel may start, and arms");
	ok(scene_msr(one, MSR_LSTAR) == OTHER, "the other kernel has its own LSTAR");
	scene_close(&s);
}

/* A guest that was saved with paging off must not be taken for one without a kernel. */
static void test_load_unpaged(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_REAL);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	tiny_set_msr(one, MSR_LSTAR, KERNEL);
	tiny_set_msr(one, MSR_SFMASK, 0x700);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "a loaded LSTAR without paging arms");
	tiny_set_msr(one, MSR_STAR, 5);
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "another vCPU that enters first cannot set its own LSTAR");
	ok(!tiny_wrmsr(two, MSR_STAR, 5) &&
	   tiny_wrmsr(two, MSR_STAR, 6) == TINY_GP,
	   "the VMM's last write before the first entry counts");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP,
	   "the loaded vCPU cannot set another LSTAR");
	scene_close(&s);
}

static void test_load(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_set_msr(vcpu, MSR_STAR, 5);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_mode(vcpu, TINY_LONG, 0x901);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "loading a state arms");
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "the first entry does not arm again");
	ok(nx_is_pinned(vcpu), "the pins hold after the load");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP &&
	   tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "the set-up is done after the load");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP, "the values are settled after the load");
	s.nr_events = 0;
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "a later entry makes no event");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	regpin_vcpu_enter(vcpu->regpin);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_mode(vcpu, TINY_LONG, 0x901);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP,
	   "with arming: start a loaded set-up is done, too");
	scene_close(&s);
}

static void test_vmm_writes(void)
{
	struct tiny_vcpu *vcpu;
	struct kvm_sregs sregs;
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	ok(!tiny_set_msr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "a write of the same value by the VMM is no event");
	ok(!tiny_set_msr(vcpu, MSR_STAR, 9) && scene_silent(&s),
	   "a write of a register without a rule by the VMM is no event");
	ok(!tiny_set_msr(vcpu, MSR_EFER, EFER_NX_OFF),
	   "the VMM can lower a pin by KVM_SET_MSRS");
	ok(s.events[0].action == REGPIN_ALLOW && !s.events[0].has_rip &&
	   s.events[0].bits == EFER_NXE && s.events[0].rule == 0 &&
	   s.events[0].old_value == EFER_ON &&
	   s.events[0].value == EFER_NX_OFF && s.events[0].vcpu == 0 &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE), "the lowered pin is an event");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF, "the VMM's value stays");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && nx_is_pinned(vcpu),
	   "the guest may set the bit again, and then may not clear it");

	s.nr_events = 0;
	tiny_get_sregs(vcpu, &sregs);
	ok(!tiny_set_sregs(vcpu, &sregs) && scene_silent(&s),
	   "KVM_SET_SREGS of the current values is no event");
	sregs.efer &= ~EFER_NXE;
	ok(!tiny_set_sregs(vcpu, &sregs) &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE),
	   "KVM_SET_SREGS that lowers a pin is an event");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_arming();
	test_set_up();
	test_two_vcpus();
	test_load_unpaged();
	test_load();
	test_vmm_writes();
	return tap_done();
}
