// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that starts beside armed ones and does not arm in time. On a KVM that can filter
 * control registers, these tests do not ask for it.
 */
#include <time.h>

#include "detect_scene.h"

static void deadline_scene(struct scene *s, unsigned int action,
			   enum tiny_mode mode)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	policy->settings.deadline_ms = 20;
	policy->settings.deadline_action = (uint8_t)action;
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	scene_open(s, policy, 2, TINY_LONG);
	tiny_set_mode(&s->vcpu[1], mode, 0);
	tiny_wrmsr(&s->vcpu[0], MSR_LSTAR, KERNEL);
	tiny_wrmsr(&s->vcpu[0], MSR_SFMASK, 0x700);
	s->nr_events = 0;
}

static uint64_t ran_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Runs the vCPU for @ms of this thread's time, with a look at each entry. */
static int run_for(struct tiny_vcpu *vcpu, unsigned int ms)
{
	uint64_t end = ran_ms() + ms;
	int ret;

	do
		ret = look(vcpu);
	while (!ret && ran_ms() < end);
	return ret;
}

static void test_deadline(void)
{
	struct tiny_vcpu *late;
	struct scene s;

	deadline_scene(&s, REGPIN_PAUSE, TINY_LONG);
	late = &s.vcpu[1];
	ok(!run_for(late, 10) && scene_silent(&s) &&
	   regpin_vcpu_tick_ms(late->regpin) == 50,
	   "a vCPU with paging and no LSTAR may run until the deadline");
	ok(run_for(late, 60) == TINY_HELD, "after the deadline the vCPU is held");
	ok(s.events[0].vcpu == 1 && s.events[0].action == REGPIN_PAUSE &&
	   s.events[0].detail == 20 && scene_only(&s, REGPIN_EVENT_DEADLINE),
	   "the missed deadline is one event");
	ok(!run_for(&s.vcpu[0], 30) && scene_silent(&s),
	   "the armed vCPU has no deadline");
	ok(regpin_vcpu_answer(late->regpin, REGPIN_GP) == -EINVAL,
	   "the answer gp is refused, as there is no instruction for a #GP");
	ok(!regpin_vcpu_answer(late->regpin, REGPIN_ALLOW) &&
	   !run_for(late, 40) && scene_only(&s, REGPIN_EVENT_ANSWERED),
	   "allow: the vCPU runs on, and is not held again");
	ok(!regpin_vcpu_tick_ms(late->regpin), "allow: the vCPU is not polled");
	ok(!tiny_wrmsr(late, MSR_LSTAR, KERNEL) &&
	   scene_only(&s, REGPIN_EVENT_ARMED), "allow: the vCPU may still arm");
	scene_close(&s);

	deadline_scene(&s, REGPIN_STOP, TINY_LONG);
	ok(run_for(&s.vcpu[1], 90) == TINY_STOPPED &&
	   scene_only(&s, REGPIN_EVENT_DEADLINE) &&
	   look(&s.vcpu[0]) == TINY_STOPPED,
	   "with action stop a missed deadline stops the VM");
	scene_close(&s);

	deadline_scene(&s, REGPIN_REPORT, TINY_LONG);
	ok(!run_for(&s.vcpu[1], 90) && scene_only(&s, REGPIN_EVENT_DEADLINE),
	   "with action report a missed deadline is reported once");
	scene_close(&s);
}

static void test_in_time(void)
{
	struct scene s;

	deadline_scene(&s, REGPIN_STOP, TINY_LONG);
	ok(!run_for(&s.vcpu[1], 5) &&
	   !tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, KERNEL) &&
	   !tiny_wrmsr(&s.vcpu[1], MSR_SFMASK, 0x700) &&
	   !run_for(&s.vcpu[1], 60) && scene_only(&s, REGPIN_EVENT_ARMED) &&
	   !regpin_vcpu_tick_ms(s.vcpu[1].regpin),
	   "a vCPU that arms in time meets the deadline");
	scene_close(&s);

	/* A look in the middle of its set-up had started a clock that never stopped. */
	deadline_scene(&s, REGPIN_STOP, TINY_LONG);
	tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, KERNEL);
	look(&s.vcpu[1]);
	tiny_wrmsr(&s.vcpu[1], MSR_SFMASK, 0x700);
	run_for(&s.vcpu[1], 40);
	s.nr_events = 0;
	tiny_set_mode(&s.vcpu[1], TINY_REAL, 0);
	ok(!run_for(&s.vcpu[1], 5) && scene_only(&s, REGPIN_EVENT_DISARMED),
	   "an INIT long after the set-up starts a new deadline");
	scene_close(&s);

	deadline_scene(&s, REGPIN_STOP, TINY_PROTECTED);
	ok(run_for(&s.vcpu[1], 90) == TINY_STOPPED &&
	   scene_only(&s, REGPIN_EVENT_DEADLINE),
	   "a vCPU that runs without paging misses the deadline");
	scene_close(&s);

	deadline_scene(&s, REGPIN_STOP, TINY_PROTECTED);
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	tiny_set_mode(&s.vcpu[1], TINY_LONG, 0);
	s.nr_events = 0;
	ok(!run_for(&s.vcpu[1], 60) && scene_silent(&s),
	   "without an armed vCPU there is no deadline");
	scene_close(&s);

	deadline_scene(&s, REGPIN_STOP, TINY_LONG);
	regpin_vm_window(s.vm.regpin, 0);
	look(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!run_for(&s.vcpu[1], 60) && scene_silent(&s), "in a window there is no deadline");
	regpin_vm_arm(s.vm.regpin);
	look(&s.vcpu[0]);
	s.nr_events = 0;
	ok(run_for(&s.vcpu[1], 90) == TINY_STOPPED &&
	   scene_only(&s, REGPIN_EVENT_DEADLINE),
	   "after a window the deadline applies again");
	scene_close(&s);
}

/*
 * A vCPU that armed and never ended its set-up is late, too. If a changed bit was found
 * in the same look, it was held for its deadline only, and the operator's answer
 * released it for both.
 */
static void test_one_hold(void)
{
	struct regpin_policy *policy = cr_policy(REGPIN_PAUSE);
	struct tiny_vcpu *late;
	struct scene s;

	policy->settings.deadline_ms = 20;
	scene_open(&s, policy, 2, TINY_LONG);
	late = &s.vcpu[1];
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	tiny_wrmsr(&s.vcpu[0], MSR_SFMASK, 0x700);
	tiny_wrmsr(late, MSR_LSTAR, KERNEL);
	run_for(late, 5);
	s.nr_events = 0;
	tiny_mov_cr(late, 0, cr(late, 0) & ~CR0_WP);
	for (uint64_t end = ran_ms() + 40; ran_ms() < end;)
		;
	ok(look(late) == TINY_HELD && scene_only(&s, REGPIN_EVENT_DETECTED),
	   "a vCPU that is changed and late in one look is held for the change");
	ok(!regpin_vcpu_answer(late->regpin, REGPIN_GP) && !look(late) &&
	   cr(late, 0) & CR0_WP, "the changed bit can be put back");
	s.nr_events = 0;
	ok(run_for(late, 90) == TINY_HELD &&
	   scene_only(&s, REGPIN_EVENT_DEADLINE),
	   "after that the vCPU is held for its deadline");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	setenv("REGPIN_HOST_FORCE", "nocrfilter", 1);
	test_deadline();
	test_in_time();
	test_one_hold();
	return tap_done();
}
