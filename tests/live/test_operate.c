// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest or the operator decides: arming by request and by the operator,
 * disarming, windows.
 */
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define OTHER		0xffffffff82000000ull
#define THIRD		0xffffffff83000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull
#define REQUEST		0x4b4d5300u

static struct regpin_policy *make_policy(unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_STAR, ALL, REGPIN_GP);
	if (arming == ARM_REQUEST)
		policy->settings.request_msr = REQUEST;
	return policy;
}

/* A kernel comes up on a vCPU. How many of its four writes were refused? */
static int boot(struct tiny_vcpu *vcpu, uint64_t lstar)
{
	return !!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) +
	       !!tiny_wrmsr(vcpu, MSR_STAR, lstar >> 20 & 0xff) +
	       !!tiny_wrmsr(vcpu, MSR_LSTAR, lstar) +
	       !!tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
}

static bool is_pinned(struct tiny_vcpu *vcpu)
{
	int outcome = tiny_wrmsr(vcpu, MSR_EFER, EFER_NX_OFF);

	if (outcome == 0)
		tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	return outcome == TINY_GP;
}

/* Enters once, with something that nobody minds. */
static void pass(struct tiny_vcpu *vcpu)
{
	uint64_t value;

	tiny_rdmsr(vcpu, MSR_SYSENTER_CS, &value);
}

/* Did vCPU @id arm (or disarm) for this cause, and nothing else happen? */
static bool told(struct scene *s, unsigned int type, uint32_t id,
		 unsigned int cause)
{
	const struct regpin_event *e = &s->events[0];

	if (s->nr_events != 1 || e->type != type || e->vcpu != id ||
	    e->detail != cause)
		for (unsigned int i = 0; i < s->nr_events; i++)
			printf("# event %u: type %u vcpu %u detail %u\n", i,
			       s->events[i].type, s->events[i].vcpu,
			       s->events[i].detail);
	return e->vcpu == id && e->detail == cause && scene_only(s, type);
}

static bool armed(struct scene *s, uint32_t id, unsigned int cause)
{
	return told(s, REGPIN_EVENT_ARMED, id, cause);
}

static bool disarmed(struct scene *s, uint32_t id, unsigned int cause)
{
	return told(s, REGPIN_EVENT_DISARMED, id, cause);
}

static unsigned int status(const struct scene *s)
{
	return regpin_vm_status(s->vm.regpin) &
	       (REGPIN_IS_ARMED | REGPIN_IS_WINDOWED);
}

/* Both gates: closed until somebody says so, and closed by a VM reset. */
static void check_gate(unsigned int arming, void (*open)(struct scene *s),
		       unsigned int cause)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, make_policy(arming), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	ok(!boot(one, KERNEL) && scene_silent(&s) && !status(&s),
	   "a kernel comes up, and nothing arms");
	ok(!is_pinned(one) && !tiny_wrmsr(two, MSR_LSTAR, OTHER) &&
	   !tiny_wrmsr(two, MSR_LSTAR, 0), "no pin holds");
	s.nr_events = 0;
	open(&s);
	pass(one);
	ok(armed(&s, 0, cause) && is_pinned(one),
	   "asked for, the vCPU with an LSTAR arms before it enters");
	s.nr_events = 0;
	pass(two);
	ok(scene_silent(&s) && status(&s) == REGPIN_IS_ARMED,
	   "the one without does not");
	ok(boot(two, OTHER) == 2 &&
	   scene_count(&s, REGPIN_EVENT_ARMED) == 0,
	   "it can't bring another kernel");
	s.nr_events = 0;
	ok(!boot(two, KERNEL) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "it arms when it sets the VM's LSTAR");
	tiny_reset(one);
	tiny_set_mode(one, TINY_LONG, 0);
	s.nr_events = 0;
	ok(boot(one, OTHER) == 2 && scene_count(&s, REGPIN_EVENT_VIOLATION) == 2,
	   "one vCPU's reset leaves the gate open, and the values");
	tiny_reset(one);
	tiny_reset(two);
	tiny_set_mode(one, TINY_LONG, 0);
	tiny_set_mode(two, TINY_LONG, 0);
	s.nr_events = 0;
	ok(!boot(one, OTHER) && !boot(two, OTHER) && scene_silent(&s) &&
	   !is_pinned(one) && !status(&s), "after all, it is closed again");
	s.nr_events = 0;
	open(&s);
	pass(two);
	ok(armed(&s, 1, cause), "and may be opened again");
	pass(one);
	ok(armed(&s, 0, cause) && is_pinned(one) && is_pinned(two),
	   "for all that are up");
	s.nr_events = 0;
	open(&s);
	pass(one);
	pass(two);
	ok(scene_silent(&s), "asked for once more: nothing happens");
	scene_close(&s);
}

static void ask(struct scene *s)
{
	ok(!tiny_wrmsr(&s->vcpu[1], REQUEST, 1), "the guest asks");
}

static void operator(struct scene *s)
{
	ok(!regpin_vm_arm(s->vm.regpin), "the operator says so");
}

static void test_request(void)
{
	uint64_t value;
	struct scene s;

	check_gate(ARM_REQUEST, ask, REGPIN_BY_REQUEST);
	scene_open(&s, make_policy(ARM_REQUEST), 1, TINY_LONG);
	ok(tiny_rdmsr(&s.vcpu[0], REQUEST, &value) == TINY_GP &&
	   scene_silent(&s), "the request's MSR can't be read");
	boot(&s.vcpu[0], KERNEL);
	ok(!regpin_vm_arm(s.vm.regpin), "the operator may be first");
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR), "and is told as such");
	regpin_vm_disarm(s.vm.regpin);
	pass(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!tiny_wrmsr(&s.vcpu[0], REQUEST, 0), "disarmed, the guest asks");
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_REQUEST), "and is armed");
	scene_close(&s);

	/* Nobody can ask for what is not on offer. */
	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	ok(tiny_wrmsr(&s.vcpu[0], REQUEST, 0) == TINY_GP,
	   "arming: syscall-entry has no request");
	scene_close(&s);
}

#define HC_LOCK_CR_UPDATE	13
#define HC_NONE			1000	/* KVM_ENOSYS */

/* vmmcall; hlt. On Intel KVM puts its own opcode there. */
static int64_t hypercall(struct tiny_vcpu *vcpu, uint64_t nr)
{
	static const uint8_t code[] = { 0x0f, 0x01, 0xd9, 0xf4 };
	struct kvm_regs regs;

	memcpy(vcpu->vm->memory + TINY_CODE, code, sizeof(code));
	tiny_prepare(vcpu, TINY_CODE, 0, 0);
	regs = scene_regs(vcpu);
	regs.rax = nr;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) || tiny_run(vcpu))
		return INT64_MIN;
	return (int64_t)scene_regs(vcpu).rax;
}

static void ask_by_hypercall(struct scene *s)
{
	ok(hypercall(&s->vcpu[1], HC_LOCK_CR_UPDATE) == 0,
	   "the guest asks by a hypercall");
}

/* Where KVM forwards it: the last patch but one of kernel/6.12. */
static void test_hypercall(void)
{
	struct scene s;
	int mask;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	mask = ioctl(s.vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
	if (mask <= 0 || !(mask & 1 << HC_LOCK_CR_UPDATE)) {
		tap_skip("arming by hypercall 13", "this KVM does not forward it");
		scene_close(&s);
		return;
	}
	ok(hypercall(&s.vcpu[0], HC_LOCK_CR_UPDATE) == -HC_NONE &&
	   scene_silent(&s), "arming: syscall-entry has no hypercall");
	scene_close(&s);
	check_gate(ARM_REQUEST, ask_by_hypercall, REGPIN_BY_REQUEST);
}

static void test_disarm(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	boot(two, KERNEL);
	s.nr_events = 0;
	regpin_vm_disarm(s.vm.regpin);
	ok(!status(&s), "disarmed, the VM is not armed from that moment on");
	ok(!tiny_wrmsr(one, MSR_EFER, EFER_NX_OFF) &&
	   disarmed(&s, 0, REGPIN_BY_OPERATOR), "a vCPU says so as it enters");
	ok(!tiny_wrmsr(two, MSR_STAR, 9) &&
	   disarmed(&s, 1, REGPIN_BY_OPERATOR), "and the other one");
	tiny_wrmsr(one, MSR_EFER, EFER_ON);
	ok(!boot(one, OTHER) && scene_silent(&s) && !is_pinned(one),
	   "whatever kernel comes up now, it is not pinned");
	ok(regpin_vm_settled(s.vm.regpin), "all have looked");
	ok(!regpin_vm_arm(s.vm.regpin), "arm");
	pass(two);
	ok(scene_silent(&s) && !is_pinned(two) &&
	   regpin_vcpu_status(two->regpin, NULL) & REGPIN_IS_FRESH,
	   "the vCPU that still has the old kernel's LSTAR does not arm");
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR) && is_pinned(one),
	   "that with the new one does");
	s.nr_events = 0;
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP,
	   "and its LSTAR is the VM's now");
	s.nr_events = 0;
	ok(!boot(two, OTHER) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "which the other one has to take");
	regpin_vm_disarm(s.vm.regpin);
	pass(one);
	s.nr_events = 0;
	regpin_vm_arm(s.vm.regpin);
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR), "no kernel came: armed as it was");
	pass(two);
	/* It has not entered in between: one event for each. */
	ok(s.events[0].type == REGPIN_EVENT_DISARMED &&
	   s.events[1].type == REGPIN_EVENT_ARMED && s.nr_events == 2 &&
	   is_pinned(two), "and so one that slept through it");
	scene_close(&s);
}

static void test_window(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	boot(two, KERNEL);
	s.nr_events = 0;
	regpin_vm_window(s.vm.regpin, 0);
	ok(status(&s) == REGPIN_IS_WINDOWED && regpin_vm_windowed(s.vm.regpin),
	   "a window is open");
	ok(!boot(one, OTHER) && disarmed(&s, 0, REGPIN_BY_WINDOW),
	   "another kernel comes up");
	ok(!boot(one, THIRD) && scene_silent(&s) &&
	   regpin_vm_windowed(s.vm.regpin), "and another one");
	s.nr_events = 0;
	ok(!regpin_vm_arm(s.vm.regpin) && !regpin_vm_windowed(s.vm.regpin),
	   "the window is closed");
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_WINDOW) && is_pinned(one),
	   "the kernel that is there then is pinned");
	s.nr_events = 0;
	pass(two);
	ok(disarmed(&s, 1, REGPIN_BY_WINDOW),
	   "a vCPU that slept through the window has no pins");
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP &&
	   tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "and is bound by the values of the last kernel");
	s.nr_events = 0;
	ok(!boot(two, THIRD) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY),
	   "with those it arms");
	scene_close(&s);
}

static void test_window_once(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	boot(two, KERNEL);
	regpin_vm_window(s.vm.regpin, 1);
	pass(one);
	pass(two);
	ok(scene_count(&s, REGPIN_EVENT_DISARMED) == 2 &&
	   !is_pinned(one) && regpin_vm_windowed(s.vm.regpin),
	   "a window, once: all are disarmed");
	s.nr_events = 0;
	ok(!tiny_wrmsr(one, MSR_LSTAR, 0) && regpin_vm_windowed(s.vm.regpin),
	   "LSTAR := 0 does not end it");
	ok(!tiny_wrmsr(one, MSR_STAR, OTHER >> 20 & 0xff) &&
	   !tiny_wrmsr(one, MSR_LSTAR, OTHER) &&
	   regpin_vm_windowed(s.vm.regpin) && scene_silent(&s),
	   "nor does the next kernel's LSTAR: its set-up goes on");
	ok(!tiny_wrmsr(one, MSR_SFMASK, 0x700) &&
	   !regpin_vm_windowed(s.vm.regpin) &&
	   armed(&s, 0, REGPIN_BY_WINDOW), "its SFMASK does, and arms");
	tiny_wrmsr(one, MSR_SFMASK, 0x700);
	ok(is_pinned(one), "its pins hold");
	s.nr_events = 0;
	pass(two);
	ok(scene_silent(&s) && !is_pinned(two),
	   "the other vCPU has the old LSTAR: not armed");
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP,
	   "nor can it set it again");
	s.nr_events = 0;
	ok(!boot(two, OTHER) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "with the new one it arms");
	s.nr_events = 0;
	regpin_vm_window(s.vm.regpin, 1);
	ok(!regpin_vm_arm(s.vm.regpin), "a window that nobody used is closed");
	pass(one);
	pass(two);
	ok(scene_count(&s, REGPIN_EVENT_ARMED) == 2 && is_pinned(one) &&
	   is_pinned(two), "all are as before");
	s.nr_events = 0;
	ok(tiny_wrmsr(one, MSR_LSTAR, KERNEL) == TINY_GP &&
	   !regpin_vm_windowed(s.vm.regpin), "once was for that window only");
	scene_close(&s);
}

/* The VMM resets the VM in a window: that does not close it. */
static void test_window_and_reset(void)
{
	struct scene s;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	regpin_vm_window(s.vm.regpin, 0);
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	ok(!boot(&s.vcpu[0], OTHER) && !is_pinned(&s.vcpu[0]) &&
	   regpin_vm_windowed(s.vm.regpin), "reset in a window: it stays open");
	s.nr_events = 0;
	regpin_vm_arm(s.vm.regpin);
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_WINDOW) && is_pinned(&s.vcpu[0]),
	   "and ends as it would have");
	scene_close(&s);
}

/* `deny` is no pin: neither disarming nor a window is about it. */
static void test_deny_goes_on(void)
{
	struct regpin_policy *policy = make_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	add_deny(policy, MSR_SYSENTER_CS, 1, ACCESS_WRITE, REGPIN_GP);
	scene_open(&s, policy, 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	regpin_vm_disarm(s.vm.regpin);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_GP,
	   "disarmed: deny holds");
	regpin_vm_window(s.vm.regpin, 0);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_GP,
	   "in a window: deny holds");
	scene_close(&s);
}

/* What is held when a window opens is let go by an answer only. */
static void test_window_and_hold(void)
{
	struct regpin_policy *policy = make_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		policy->rules[i].action = REGPIN_PAUSE;
	scene_open(&s, policy, 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, OTHER) == TINY_HELD,
	   "a kernel takes over, and the operator is asked");
	regpin_vm_window(s.vm.regpin, 1);
	ok(tiny_run(&s.vcpu[0]) == TINY_HELD, "he opens a window");
	s.nr_events = 0;
	regpin_vcpu_answer(s.vcpu[0].regpin, REGPIN_ALLOW);
	ok(!tiny_run(&s.vcpu[0]) && !tiny_outcome(&s.vcpu[0], TINY_WRMSR) &&
	   scene_msr(&s.vcpu[0], MSR_LSTAR) == OTHER, "and allows it");
	ok(!tiny_wrmsr(&s.vcpu[0], MSR_SFMASK, 0x700) &&
	   !regpin_vm_windowed(s.vm.regpin) &&
	   scene_count(&s, REGPIN_EVENT_ARMED) == 1 &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 0,
	   "the window was for that one kernel's set-up");
	scene_close(&s);
}

/* A policy that forbids what a vCPU has already: each value is reported once, and stays. */
static void test_tighten(void)
{
	struct regpin_policy *tight = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *loose = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_event event = { 0 };
	struct scene s;

	add_pin(loose, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_GP);
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(tight, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	scene_open(&s, loose, 2, TINY_LONG);
	ok(!finish_policy(tight), "a tighter policy");
	for (unsigned int i = 0; i < 2; i++) {
		tiny_wrmsr(&s.vcpu[i], MSR_LSTAR, 0xffffffff81000000ull);
		tiny_wrmsr(&s.vcpu[i], MSR_SFMASK, 0x700);
	}
	ok(!tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, 0xffffffff82000000ull),
	   "the policy lets a vCPU change its LSTAR");
	s.nr_events = 0;
	ok(!regpin_vm_set_policy(s.vm.regpin, tight), "it comes into force");
	for (unsigned int i = 0; i < 2; i++)
		tiny_wrmsr(&s.vcpu[i], MSR_SYSENTER_CS, 0x10);
	ok(!regpin_vm_policy_done(s.vm.regpin), "and its filter");
	for (unsigned int i = 0; i < s.nr_events; i++)
		if (s.events[i].type == REGPIN_EVENT_DETECTED)
			event = s.events[i];
	ok(scene_count(&s, REGPIN_EVENT_DETECTED) == 1 && event.vcpu == 1 &&
	   event.index == MSR_LSTAR &&
	   event.detail == REGPIN_FOUND_BY_POLICY &&
	   event.old_value == 0xffffffff81000000ull &&
	   event.value == 0xffffffff82000000ull,
	   "LSTAR of that vCPU is reported, and nothing else");
	ok(scene_msr(&s.vcpu[1], MSR_LSTAR) == 0xffffffff82000000ull,
	   "it stays as it is");
	s.nr_events = 0;
	tiny_wrmsr(&s.vcpu[1], MSR_SYSENTER_CS, 0x10);
	ok(scene_silent(&s), "and is not reported again");
	scene_close(&s);
	free(tight);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_request();
	test_hypercall();
	check_gate(ARM_OPERATOR, operator, REGPIN_BY_OPERATOR);
	test_disarm();
	test_window();
	test_window_once();
	test_window_and_reset();
	test_deny_goes_on();
	test_window_and_hold();
	test_tighten();
	return tap_done();
}
