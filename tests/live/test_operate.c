// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decisions of the guest or the operator: arming on request and by the operator,
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

/* A kernel starts on a vCPU. Returns how many of its four writes were refused. */
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

/* Enters once, with an access that no rule concerns. */
static void pass(struct tiny_vcpu *vcpu)
{
	uint64_t value;

	tiny_rdmsr(vcpu, MSR_SYSENTER_CS, &value);
}

/* Did vCPU @id arm (or disarm) for this cause, without any other event? */
static bool reported(struct scene *s, unsigned int type, uint32_t id,
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
	return reported(s, REGPIN_EVENT_ARMED, id, cause);
}

static bool disarmed(struct scene *s, uint32_t id, unsigned int cause)
{
	return reported(s, REGPIN_EVENT_DISARMED, id, cause);
}

static unsigned int status(const struct scene *s)
{
	return regpin_vm_status(s->vm.regpin) &
	       (REGPIN_IS_ARMED | REGPIN_IS_WINDOWED);
}

/* Both kinds of gate: closed until the command or the request, and closed by a VM reset. */
static void check_gate(unsigned int arming, void (*open)(struct scene *s),
		       unsigned int cause)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, make_policy(arming), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	ok(!boot(one, KERNEL) && scene_silent(&s) && !status(&s),
	   "a kernel starts, and nothing arms");
	ok(!is_pinned(one) && !tiny_wrmsr(two, MSR_LSTAR, OTHER) &&
	   !tiny_wrmsr(two, MSR_LSTAR, 0), "before arming no pin holds");
	s.nr_events = 0;
	open(&s);
	pass(one);
	ok(armed(&s, 0, cause) && is_pinned(one),
	   "after the request the vCPU with an LSTAR arms before it enters");
	s.nr_events = 0;
	pass(two);
	ok(scene_silent(&s) && status(&s) == REGPIN_IS_ARMED,
	   "the vCPU without an LSTAR does not arm");
	ok(boot(two, OTHER) == 2 &&
	   scene_count(&s, REGPIN_EVENT_ARMED) == 0,
	   "the vCPU without an LSTAR cannot start another kernel");
	s.nr_events = 0;
	ok(!boot(two, KERNEL) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "that vCPU arms when it sets the VM's LSTAR");
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
	   !is_pinned(one) && !status(&s), "the reset of all vCPUs closes the gate");
	s.nr_events = 0;
	open(&s);
	pass(two);
	ok(armed(&s, 1, cause), "the gate may be opened again");
	pass(one);
	ok(armed(&s, 0, cause) && is_pinned(one) && is_pinned(two),
	   "the gate opens for all vCPUs with a kernel");
	s.nr_events = 0;
	open(&s);
	pass(one);
	pass(two);
	ok(scene_silent(&s), "another request has no effect");
	scene_close(&s);
}

static void ask(struct scene *s)
{
	ok(!tiny_wrmsr(&s->vcpu[1], REQUEST, 1), "the guest requests its pins");
}

static void operator(struct scene *s)
{
	ok(!regpin_vm_arm(s->vm.regpin), "the operator arms");
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
	ok(!regpin_vm_arm(s.vm.regpin), "the operator may arm before the guest's request");
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR), "the event names the operator as the cause");
	regpin_vm_disarm(s.vm.regpin);
	pass(&s.vcpu[0]);
	s.nr_events = 0;
	ok(!tiny_wrmsr(&s.vcpu[0], REQUEST, 0), "after a disarm the guest requests its pins");
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_REQUEST), "after that request the vCPU is armed");
	scene_close(&s);

	/* Without arming: request there is nothing to request. */
	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	ok(tiny_wrmsr(&s.vcpu[0], REQUEST, 0) == TINY_GP,
	   "with arming: syscall-entry a request is refused");
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
	   "the guest requests its pins by a hypercall");
}

/* KVM forwards the hypercall only with the last patch but one of kernel/6.12. */
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
	   scene_silent(&s), "with arming: syscall-entry the hypercall is refused");
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
	ok(!status(&s), "disarm takes effect at once for the VM's status");
	ok(!tiny_wrmsr(one, MSR_EFER, EFER_NX_OFF) &&
	   disarmed(&s, 0, REGPIN_BY_OPERATOR), "a vCPU reports the disarm when it enters");
	ok(!tiny_wrmsr(two, MSR_STAR, 9) &&
	   disarmed(&s, 1, REGPIN_BY_OPERATOR), "the other vCPU reports the disarm, too");
	tiny_wrmsr(one, MSR_EFER, EFER_ON);
	ok(!boot(one, OTHER) && scene_silent(&s) && !is_pinned(one),
	   "a kernel that starts after the disarm is not pinned");
	ok(regpin_vm_settled(s.vm.regpin), "all vCPUs have settled");
	ok(!regpin_vm_arm(s.vm.regpin), "the operator arms the VM");
	pass(two);
	ok(scene_silent(&s) && !is_pinned(two) &&
	   regpin_vcpu_status(two->regpin, NULL) & REGPIN_IS_FRESH,
	   "the vCPU with the old kernel's LSTAR does not arm");
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR) && is_pinned(one),
	   "the vCPU with the new kernel's LSTAR arms");
	s.nr_events = 0;
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP,
	   "the new LSTAR becomes the VM's value");
	s.nr_events = 0;
	ok(!boot(two, OTHER) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "the other vCPU must set the new LSTAR to arm");
	regpin_vm_disarm(s.vm.regpin);
	pass(one);
	s.nr_events = 0;
	regpin_vm_arm(s.vm.regpin);
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_OPERATOR),
	   "if no kernel started meanwhile, the vCPU arms as before");
	pass(two);
	/* The vCPU has not entered in between, so there is one event of each kind. */
	ok(s.events[0].type == REGPIN_EVENT_DISARMED &&
	   s.events[1].type == REGPIN_EVENT_ARMED && s.nr_events == 2 &&
	   is_pinned(two), "a vCPU that slept through the disarm arms again, too");
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
	   "another kernel starts in the window");
	ok(!boot(one, THIRD) && scene_silent(&s) &&
	   regpin_vm_windowed(s.vm.regpin), "a third kernel starts in the window");
	s.nr_events = 0;
	ok(!regpin_vm_arm(s.vm.regpin) && !regpin_vm_windowed(s.vm.regpin),
	   "the window is ended");
	pass(one);
	ok(armed(&s, 0, REGPIN_BY_WINDOW) && is_pinned(one),
	   "the kernel at the end of the window is pinned");
	s.nr_events = 0;
	pass(two);
	ok(disarmed(&s, 1, REGPIN_BY_WINDOW),
	   "a vCPU that slept through the window has no pins");
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP &&
	   tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "that vCPU must have the values of the last kernel");
	s.nr_events = 0;
	ok(!boot(two, THIRD) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY),
	   "that vCPU arms with those values");
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
	   "a window --once disarms all vCPUs");
	s.nr_events = 0;
	ok(!tiny_wrmsr(one, MSR_LSTAR, 0) && regpin_vm_windowed(s.vm.regpin),
	   "LSTAR := 0 does not end the window");
	ok(!tiny_wrmsr(one, MSR_STAR, OTHER >> 20 & 0xff) &&
	   !tiny_wrmsr(one, MSR_LSTAR, OTHER) &&
	   regpin_vm_windowed(s.vm.regpin) && scene_silent(&s),
	   "the next kernel's LSTAR does not end the window, as its set-up continues");
	ok(!tiny_wrmsr(one, MSR_SFMASK, 0x700) &&
	   !regpin_vm_windowed(s.vm.regpin) &&
	   armed(&s, 0, REGPIN_BY_WINDOW),
	   "the next kernel's SFMASK ends the window and arms");
	tiny_wrmsr(one, MSR_SFMASK, 0x700);
	ok(is_pinned(one), "that kernel's pins hold");
	s.nr_events = 0;
	pass(two);
	ok(scene_silent(&s) && !is_pinned(two),
	   "the other vCPU has the old LSTAR and is not armed");
	ok(tiny_wrmsr(two, MSR_LSTAR, KERNEL) == TINY_GP,
	   "the other vCPU cannot set the old LSTAR again");
	s.nr_events = 0;
	ok(!boot(two, OTHER) && armed(&s, 1, REGPIN_BY_SYSCALL_ENTRY) &&
	   is_pinned(two), "the other vCPU arms with the new LSTAR");
	s.nr_events = 0;
	regpin_vm_window(s.vm.regpin, 1);
	ok(!regpin_vm_arm(s.vm.regpin),
	   "a window --once in which no kernel started is ended");
	pass(one);
	pass(two);
	ok(scene_count(&s, REGPIN_EVENT_ARMED) == 2 && is_pinned(one) &&
	   is_pinned(two), "after that all vCPUs are armed as before");
	s.nr_events = 0;
	ok(tiny_wrmsr(one, MSR_LSTAR, KERNEL) == TINY_GP &&
	   !regpin_vm_windowed(s.vm.regpin), "--once applies to one window only");
	scene_close(&s);
}

/* A reset of the VM in a window does not end the window. */
static void test_window_and_reset(void)
{
	struct scene s;

	scene_open(&s, make_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	regpin_vm_window(s.vm.regpin, 0);
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	ok(!boot(&s.vcpu[0], OTHER) && !is_pinned(&s.vcpu[0]) &&
	   regpin_vm_windowed(s.vm.regpin), "after a reset in a window it is still open");
	s.nr_events = 0;
	regpin_vm_arm(s.vm.regpin);
	pass(&s.vcpu[0]);
	ok(armed(&s, 0, REGPIN_BY_WINDOW) && is_pinned(&s.vcpu[0]),
	   "after a reset in a window it ends as usual");
	scene_close(&s);
}

/* `deny` is not a pin, so neither a disarm nor a window affects it. */
static void test_deny_goes_on(void)
{
	struct regpin_policy *policy = make_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	add_deny(policy, MSR_SYSENTER_CS, 1, ACCESS_WRITE, REGPIN_GP);
	scene_open(&s, policy, 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	regpin_vm_disarm(s.vm.regpin);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_GP,
	   "deny holds after a disarm");
	regpin_vm_window(s.vm.regpin, 0);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_GP,
	   "deny holds in a window");
	scene_close(&s);
}

/* A vCPU that is held when a window opens is released only by an answer. */
static void test_window_and_hold(void)
{
	struct regpin_policy *policy = make_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		policy->rules[i].action = REGPIN_PAUSE;
	scene_open(&s, policy, 1, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, OTHER) == TINY_HELD,
	   "a second kernel's LSTAR is held for the operator");
	regpin_vm_window(s.vm.regpin, 1);
	ok(tiny_run(&s.vcpu[0]) == TINY_HELD, "the operator opens a window");
	s.nr_events = 0;
	regpin_vcpu_answer(s.vcpu[0].regpin, REGPIN_ALLOW);
	ok(!tiny_run(&s.vcpu[0]) && !tiny_outcome(&s.vcpu[0], TINY_WRMSR) &&
	   scene_msr(&s.vcpu[0], MSR_LSTAR) == OTHER, "the operator allows the write");
	ok(!tiny_wrmsr(&s.vcpu[0], MSR_SFMASK, 0x700) &&
	   !regpin_vm_windowed(s.vm.regpin) &&
	   scene_count(&s, REGPIN_EVENT_ARMED) == 1 &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 0,
	   "the window ends with that kernel's set-up");
	scene_close(&s);
}

/*
 * A policy forbids a value that a vCPU already has: the value is reported once, and
 * stays.
 */
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
	ok(!regpin_vm_set_policy(s.vm.regpin, tight), "a stricter policy comes into force");
	for (unsigned int i = 0; i < 2; i++)
		tiny_wrmsr(&s.vcpu[i], MSR_SYSENTER_CS, 0x10);
	ok(!regpin_vm_policy_done(s.vm.regpin), "the stricter policy's filter is in force");
	for (unsigned int i = 0; i < s.nr_events; i++)
		if (s.events[i].type == REGPIN_EVENT_DETECTED)
			event = s.events[i];
	ok(scene_count(&s, REGPIN_EVENT_DETECTED) == 1 && event.vcpu == 1 &&
	   event.index == MSR_LSTAR &&
	   event.detail == REGPIN_FOUND_BY_POLICY &&
	   event.old_value == 0xffffffff81000000ull &&
	   event.value == 0xffffffff82000000ull,
	   "only LSTAR of that vCPU is reported");
	ok(scene_msr(&s.vcpu[1], MSR_LSTAR) == 0xffffffff82000000ull,
	   "LSTAR of that vCPU is not changed");
	s.nr_events = 0;
	tiny_wrmsr(&s.vcpu[1], MSR_SYSENTER_CS, 0x10);
	ok(scene_silent(&s), "LSTAR of that vCPU is not reported again");
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
