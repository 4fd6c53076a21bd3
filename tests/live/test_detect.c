// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KVM that cannot filter control registers: they are polled, and a violation is
 * reported, put back, held for the operator, or stops the VM. On a KVM that could filter,
 * these tests do not ask for it.
 */
#include "detect_scene.h"

static void open_scene(struct scene *s, unsigned int action)
{
	scene_open(s, cr_policy(action), 1, TINY_LONG);
	tiny_mov_cr(&s->vcpu[0], 4, CR4_ON);
	tiny_wrmsr(&s->vcpu[0], MSR_LSTAR, KERNEL);
	tiny_wrmsr(&s->vcpu[0], MSR_SFMASK, 0x700);
	look(&s->vcpu[0]);
	s->nr_events = 0;
}

/* The guest clears WP. Returns the result of the next poll. */
static int clear_wp(struct scene *s)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];

	ok(!tiny_mov_cr(vcpu, 0, cr(vcpu, 0) & ~CR0_WP),
	   "the guest can clear CR0.WP");
	return look(vcpu);
}

static bool found(const struct regpin_event *e, unsigned int kind,
		  uint64_t bits, unsigned int action)
{
	return e->type == REGPIN_EVENT_DETECTED && e->kind == kind &&
	       e->bits == bits && e->action == action && e->write &&
	       !e->has_rip && e->detail < 60000000;
}

static void test_before(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, cr_policy(REGPIN_STOP), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	ok(regpin_vm_status(s.vm.regpin) == REGPIN_IS_POLLED,
	   "the VM's status is REGPIN_IS_POLLED");
	ok(!tiny_mov_cr(vcpu, 0, cr(vcpu, 0) & ~CR0_WP) && !look(vcpu) &&
	   !tiny_mov_cr(vcpu, 0, cr(vcpu, 0) | CR0_WP) && !look(vcpu) &&
	   scene_silent(&s) && !regpin_vcpu_tick_ms(vcpu->regpin),
	   "before arming nothing is polled");
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	look(vcpu);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) &&
	   regpin_vcpu_tick_ms(vcpu->regpin) == 10,
	   "after arming the vCPU is polled every 10 ms");
	ok(!tiny_mov_cr(vcpu, 0, cr(vcpu, 0) | CR0_MP) && !look(vcpu) &&
	   !tiny_mov_cr(vcpu, 0, cr(vcpu, 0) & ~CR0_MP) && !look(vcpu) &&
	   scene_silent(&s), "bits without a rule may change");
	ok(!tiny_mov_cr(vcpu, 4, CR4_ON) && !look(vcpu) && scene_silent(&s),
	   "a sticky bit may be set");
	ok(!tiny_mov_cr(vcpu, 4, CR4_PAE) && look(vcpu) == TINY_STOPPED,
	   "a sticky bit that was set may not be cleared");
	scene_close(&s);
}

static void test_report(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_REPORT);
	vcpu = &s.vcpu[0];
	ok(!clear_wp(&s), "report: the vCPU runs on after the poll");
	ok(found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_REPORT) &&
	   s.events[0].old_value & CR0_WP && s.events[0].rule == 0 &&
	   s.events[0].value == cr(vcpu, 0) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED), "report: the cleared bit is one event");
	ok(!(cr(vcpu, 0) & CR0_WP), "report: the bit stays cleared");
	ok(!look(vcpu) && scene_silent(&s), "report: the cleared bit is not reported again");
	ok(!tiny_mov_cr(vcpu, 0, cr(vcpu, 0) | CR0_WP) && !look(vcpu) &&
	   scene_silent(&s), "report: setting the bit again is no event");
	ok(!clear_wp(&s) && scene_only(&s, REGPIN_EVENT_DETECTED),
	   "report: clearing the bit again is another event");
	scene_close(&s);
}

static void test_restore(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_MASK);
	vcpu = &s.vcpu[0];
	ok(!clear_wp(&s) && cr(vcpu, 0) & CR0_WP, "restore: WP is set again after the poll");
	ok(found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_MASK) &&
	   s.events[0].value & CR0_WP && !(s.events[0].new_value & CR0_WP) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED),
	   "restore: there is one event, and no vmm-write");
	ok(!look(vcpu) && scene_silent(&s), "restore: the next poll finds no violation");

	/* Four rules on two registers, in one poll; bits without a rule stay. */
	tiny_mov_cr(vcpu, 0, ((cr(vcpu, 0) & ~CR0_WP) | CR0_EM) | CR0_MP);
	tiny_mov_cr(vcpu, 4, CR4_PAE | CR4_TSD);
	ok(!look(vcpu) && s.nr_events == 4 &&
	   scene_count(&s, REGPIN_EVENT_DETECTED) == 4,
	   "restore: four rules violated at once are four events");
	ok((cr(vcpu, 0) & (CR0_WP | CR0_EM | CR0_MP)) == (CR0_WP | CR0_MP) &&
	   cr(vcpu, 4) == CR4_ON, "restore: only the pinned bits are put back");
	s.nr_events = 0;
	ok(!look(vcpu) && scene_silent(&s), "restore: the next poll finds nothing more");
	scene_close(&s);
}

static void test_pause(void)
{
	struct kvm_regs before, after;
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_PAUSE);
	vcpu = &s.vcpu[0];
	ok(clear_wp(&s) == TINY_HELD, "pause: the vCPU is held after the poll");
	ok(found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_PAUSE) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED), "pause: the cleared bit is one event");
	before = scene_regs(vcpu);
	ok(tiny_run(vcpu) == TINY_HELD && look(vcpu) == TINY_HELD &&
	   scene_silent(&s), "pause: the vCPU is held until it is answered");
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) &&
	   !look(vcpu) && scene_only(&s, REGPIN_EVENT_ANSWERED) &&
	   !(cr(vcpu, 0) & CR0_WP), "pause, allow: the vCPU runs on without WP");
	ok(!look(vcpu) && scene_silent(&s), "pause, allow: the vCPU is not held again");
	tiny_mov_cr(vcpu, 0, cr(vcpu, 0) | CR0_WP);
	look(vcpu);

	tiny_mov_cr(vcpu, 0, (cr(vcpu, 0) & ~CR0_WP) | CR0_EM);
	tiny_mov_cr(vcpu, 4, CR4_PAE);
	ok(look(vcpu) == TINY_HELD && s.nr_events == 3,
	   "pause: two registers at once hold the vCPU once");
	s.nr_events = 0;
	after = scene_regs(vcpu);
	ok(after.rip == before.rip, "pause: the vCPU is held between two instructions");
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_GP) && !look(vcpu) &&
	   scene_only(&s, REGPIN_EVENT_ANSWERED), "pause, gp: the vCPU runs on");
	ok(cr(vcpu, 4) == CR4_ON &&
	   (cr(vcpu, 0) & (CR0_WP | CR0_EM)) == CR0_WP,
	   "pause, gp: all bits are set again");
	ok(!look(vcpu) && scene_silent(&s), "pause, gp: the next poll finds nothing more");

	clear_wp(&s);
	s.nr_events = 0;
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_STOP) &&
	   look(vcpu) == TINY_STOPPED && look(vcpu) == TINY_STOPPED &&
	   scene_only(&s, REGPIN_EVENT_ANSWERED), "pause, stop: the vCPU does not run on");
	scene_close(&s);
}

static void test_stop(void)
{
	struct scene s;

	open_scene(&s, REGPIN_STOP);
	ok(clear_wp(&s) == TINY_STOPPED &&
	   found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_STOP) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED), "stop: the VM is stopped, with one event");
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	s.nr_events = 0;
	ok(!look(&s.vcpu[0]) && scene_silent(&s), "stop: the vCPU runs after a reset");
	scene_close(&s);
}

/* A rule that only reports does so, whatever the reaction to the others. */
static void test_report_rule(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	policy->settings.detect_action = REGPIN_STOP;
	add_optional(policy, RULE_STICKY, REGPIN_CR0, CR0_WP, REGPIN_REPORT);
	scene_open(&s, policy, 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	look(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!clear_wp(&s) &&
	   found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_REPORT) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED),
	   "a rule that only reports ignores the reaction stop");
	scene_close(&s);
}

/* A write of the VMM is reported as one, and not refused. */
static void test_vmm(void)
{
	struct tiny_vcpu *vcpu;
	struct kvm_sregs sregs;
	struct scene s;

	open_scene(&s, REGPIN_STOP);
	vcpu = &s.vcpu[0];
	tiny_get_sregs(vcpu, &sregs);
	sregs.cr0 &= ~CR0_WP;
	tiny_set_sregs(vcpu, &sregs);
	ok(s.events[0].kind == REGPIN_CR0 && s.events[0].bits == CR0_WP &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE),
	   "WP cleared by the VMM is an event");
	ok(!look(vcpu) && scene_silent(&s),
	   "WP cleared by the VMM is not detected in addition");
	scene_close(&s);

	/*
	 * QEMU writes back what it has read whenever the guest reads port 0x5658. A
	 * change that the guest had just made was then taken for the VMM's, and never
	 * detected.
	 */
	open_scene(&s, REGPIN_REPORT);
	vcpu = &s.vcpu[0];
	tiny_mov_cr(vcpu, 0, cr(vcpu, 0) & ~CR0_WP);
	tiny_get_sregs(vcpu, &sregs);
	tiny_set_sregs(vcpu, &sregs);
	ok(scene_silent(&s) && !look(vcpu) &&
	   found(&s.events[0], REGPIN_CR0, CR0_WP, REGPIN_REPORT) &&
	   scene_only(&s, REGPIN_EVENT_DETECTED),
	   "WP cleared by the guest and written back by the VMM is detected");
	scene_close(&s);
}

/*
 * An attacker's CPU started without SMEP and set the kernel's own LSTAR. It was armed,
 * and the missing bit was never detected, as `require` on CR4 was left out on such a
 * KVM.
 */
static void test_require(void)
{
	struct regpin_policy *policy = cr_policy(REGPIN_REPORT);
	struct rule *rule;
	struct scene s;

	add_optional(policy, RULE_REQUIRE, REGPIN_CR4, CR4_DE, REGPIN_GP);
	rule = &policy->rules[policy->nr_rules - 1];
	rule->flags |= RULE_DETECT;
	scene_open(&s, policy, 2, TINY_LONG);
	tiny_mov_cr(&s.vcpu[0], 4, CR4_ON);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	tiny_wrmsr(&s.vcpu[0], MSR_SFMASK, 0x700);
	s.nr_events = 0;
	ok(tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, KERNEL) == TINY_GP &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION) &&
	   s.events[0].bits == CR4_DE, "a CPU that lacks a required bit cannot arm");
	s.nr_events = 0;
	tiny_mov_cr(&s.vcpu[1], 4, CR4_ON);
	ok(!tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, KERNEL) &&
	   scene_only(&s, REGPIN_EVENT_ARMED), "a CPU with the required bit arms");
	scene_close(&s);
}

static void test_windows(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	open_scene(&s, REGPIN_STOP);
	vcpu = &s.vcpu[0];
	regpin_vm_window(s.vm.regpin, 0);
	ok(!clear_wp(&s) && scene_only(&s, REGPIN_EVENT_DISARMED) &&
	   !regpin_vcpu_tick_ms(vcpu->regpin), "in a window nothing is polled");
	regpin_vm_arm(s.vm.regpin);
	ok(!look(vcpu) && scene_only(&s, REGPIN_EVENT_ARMED) &&
	   regpin_vcpu_tick_ms(vcpu->regpin) == 10,
	   "after a window the current values become the reference");
	tiny_mov_cr(vcpu, 0, cr(vcpu, 0) | CR0_WP);
	look(vcpu);
	ok(clear_wp(&s) == TINY_STOPPED, "after a window the vCPU is polled again");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	setenv("REGPIN_HOST_FORCE", "nocrfilter", 1);
	test_before();
	test_report();
	test_restore();
	test_pause();
	test_stop();
	test_report_rule();
	test_vmm();
	test_require();
	test_windows();
	return tap_done();
}
