// SPDX-License-Identifier: GPL-2.0-only
/* Refusals, and accesses that stay the VMM's, by the C API. */
#include <errno.h>
#include <sys/ioctl.h>

#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "scene.h"

#define KERNEL	0xffffffff81000000ull
#define RW	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)

static uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

static struct regpin_policy *star_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_STAR, ALL, REGPIN_REPORT);
	policy->settings.deadline_action = REGPIN_REPORT;
	return policy;
}

/* Sets a CPUID that offers @ecx, @eax in @function, and informs regpin. */
static int offer(struct scene *s, uint32_t function, uint32_t subleaf,
		 uint32_t eax, uint32_t ecx)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entry;
	} cpuid = {
		.header.nent = 1,
		.entry = { .function = function, .index = subleaf,
			   .eax = eax, .ecx = ecx },
	};

	return regpin_vcpu_set_cpuid(s->vcpu[0].regpin,
				     (struct kvm_cpuid2 *)&cpuid);
}

/* Is there exactly one event, for @reason? */
static bool only_event(struct scene *s, unsigned int type, unsigned int reason)
{
	return s->events[0].detail == reason && scene_only(s, type);
}

static bool refused(struct scene *s, int ret, unsigned int reason)
{
	return only_event(s, REGPIN_EVENT_REFUSED, reason) && ret == -EPERM;
}

static void test_refusals(void)
{
	struct regpin_policy *policy = star_policy();
	struct scene s;

	policy->rules[0].action = REGPIN_GP;
	scene_open(&s, policy, 1, TINY_LONG);
	ok(!offer(&s, 1, 0, ~0u, ~(1u << 5)) && scene_silent(&s),
	   "any CPUID without VMX is accepted");
	ok(refused(&s, offer(&s, 1, 0, 0, 1u << 5), REGPIN_REFUSED_VMX),
	   "VMX is refused");
	ok(refused(&s, offer(&s, 0x80000001, 0, 0, 1u << 2),
		   REGPIN_REFUSED_SVM), "SVM is refused");
	ok(refused(&s, offer(&s, 7, 1, 1u << 17, 0), REGPIN_REFUSED_FRED),
	   "FRED is refused");
	ok(!regpin_vm_check_slot(s.vm.regpin, 0xffff) && scene_silent(&s),
	   "slots of address space 0 are accepted");
	ok(refused(&s, regpin_vm_check_slot(s.vm.regpin, 1 << 16),
		   REGPIN_REFUSED_SMM), "SMRAM is refused");
	policy->flags = POLICY_ACCEPT_NESTED | POLICY_ACCEPT_SMM;
	ok(!offer(&s, 1, 0, 0, 1u << 5) && !offer(&s, 0x80000001, 0, 0, 4) &&
	   !regpin_vm_check_slot(s.vm.regpin, 1 << 16) && scene_silent(&s),
	   "VMX, SVM, FRED and SMRAM are allowed if the policy accepts them");
	scene_close(&s);
}

static bool tolerated(struct scene *s, int ret, unsigned int reason)
{
	return only_event(s, REGPIN_EVENT_TOLERATED, reason) && !ret;
}

/* A policy that only reports has nothing to lose by these: each is reported, once. */
static void test_tolerated(void)
{
	struct regpin_policy *enforces = star_policy();
	struct scene s;

	scene_open(&s, star_policy(), 1, TINY_LONG);
	ok(tolerated(&s, offer(&s, 1, 0, 0, 1u << 5), REGPIN_REFUSED_VMX),
	   "a policy that only reports tolerates VMX");
	ok(tolerated(&s, offer(&s, 0x80000001, 0, 0, 1u << 2),
		     REGPIN_REFUSED_SVM), "SVM is tolerated, too");
	ok(tolerated(&s, offer(&s, 7, 1, 1u << 17, 0), REGPIN_REFUSED_FRED),
	   "FRED is tolerated, too");
	ok(tolerated(&s, regpin_vm_check_slot(s.vm.regpin, 1 << 16),
		     REGPIN_REFUSED_SMM), "SMM is tolerated, too");
	ok(!regpin_vm_check_slot(s.vm.regpin, 1 << 16) &&
	   !offer(&s, 1, 0, 0, 1u << 5) && scene_silent(&s),
	   "what is tolerated is reported once");
	enforces->settings.deadline_action = REGPIN_PAUSE;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "a policy whose floor holds vCPUs is refused after that");
	enforces->rules[0].action = REGPIN_GP;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "a policy that enforces is refused after that");
	enforces->flags = POLICY_ACCEPT_NESTED;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "a policy that accepts only a part is refused after that");
	enforces->flags |= POLICY_ACCEPT_SMM;
	ok(!regpin_vm_set_policy(s.vm.regpin, enforces),
	   "a policy that accepts all of them is allowed after that");
	scene_close(&s);
	free(enforces);
}

/* The same when it replaces a policy that has accepted them. */
static void test_tolerated_later(void)
{
	struct regpin_policy *accepts = star_policy(), *reports = star_policy();
	struct scene s;

	accepts->rules[0].action = REGPIN_GP;
	accepts->flags = POLICY_ACCEPT_SMM;
	scene_open(&s, accepts, 1, TINY_LONG);
	ok(!regpin_vm_check_slot(s.vm.regpin, 1 << 16) && scene_silent(&s),
	   "SMM is accepted");
	ok(!regpin_vm_set_policy(s.vm.regpin, reports) &&
	   !regpin_vm_policy_done(s.vm.regpin) &&
	   scene_count(&s, REGPIN_EVENT_TOLERATED) == 1,
	   "SMM is tolerated and reported after a swap to a policy that only reports");
	scene_close(&s);
	free(reports);
}

static void count_event(void *context, const struct regpin_event *event)
{
	++*(unsigned int *)context;
}

/* A VMM that was built with an older or a newer library than this one. */
static void test_options(void)
{
	unsigned int events = 0;
	struct {
		struct regpin_vm_options known;
		uint64_t later;
	} options = { .known = { .size = sizeof(options.known) - 1,
				 .event = count_event, .context = &events } };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_vm *vm = NULL;
	struct tiny_vm tiny;

	tiny_vm_new(&tiny);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, &options.known, &vm) ==
	   -EINVAL && !vm, "options smaller than the first version's are refused");
	options.known.size = sizeof(options);
	options.later = 1ull << 63;
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, &options.known, &vm) ==
	   -E2BIG && !vm && !events, "an option that this library does not know is refused");
	options.later = 0;
	ok(!regpin_vm_attach(policy, tiny.kvm, tiny.fd, &options.known, &vm) &&
	   vm && events == 1, "larger options that ask for no more are accepted");
	regpin_vm_detach(vm);
	tiny_vm_free(&tiny);
	free(policy);
}

static void test_attach(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_vm *vm = NULL;
	struct tiny_vm tiny;

	tiny_vm_new(&tiny);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) ==
	   -EOPNOTSUPP && !vm, "a rule that this KVM cannot enforce is refused");
	policy->rules[0].flags = RULE_OPTIONAL;
	ok(!regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) && vm,
	   "an optional one is accepted, without options");
	regpin_vm_detach(vm);
	vm = NULL;
	add_pin(policy, RULE_STICKY, MSR_STAR, ALL, REGPIN_GP);
	setenv("REGPIN_HOST_FORCE", "nofilter", 1);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) ==
	   -EOPNOTSUPP && !vm, "a KVM without the MSR filter is refused");
	unsetenv("REGPIN_HOST_FORCE");
	ok(regpin_vm_attach(policy, tiny.kvm, -1, NULL, &vm) == -EBADF && !vm,
	   "an fd that is not a VM is refused");
	tiny_vm_free(&tiny);
	free(policy);
}

static bool is_exit(struct tiny_vcpu *vcpu, uint32_t index)
{
	return vcpu->run->exit_reason == KVM_EXIT_X86_WRMSR &&
	       vcpu->run->msr.reason == KVM_MSR_EXIT_REASON_FILTER &&
	       vcpu->run->msr.index == index;
}

/* Without MSR rules the filter belongs to the VMM alone. */
static void test_no_msr_rules(void)
{
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = RW, .base = MSR_STAR, .nmsrs = 1,
			       .bitmap = none },
	};
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct tiny_vcpu *vcpu;
	struct scene s;

	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	policy->rules[0].flags = RULE_OPTIONAL;
	scene_open(&s, policy, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	ok(!regpin_vm_set_user_msr(s.vm.regpin, KVM_MSR_EXIT_REASON_FILTER) &&
	   !regpin_vm_set_msr_filter(s.vm.regpin, &filter),
	   "a policy without MSR rules leaves the VMM's filter alone");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 1) == TINY_EXIT &&
	   is_exit(vcpu, MSR_STAR), "the exit of its own filter reaches the VMM");
	scene_close(&s);
}

/* A policy and a VMM that filter the same MSR. */
static void test_both_want(void)
{
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = RW, .base = MSR_STAR, .nmsrs = 4,
			       .bitmap = none },
	};
	struct tiny_vcpu *vcpu;
	char text[512];
	uint64_t seen;
	struct scene s;

	scene_open(&s, star_policy(), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	ok(!regpin_vm_set_msr_filter(s.vm.regpin, &filter), "a VMM's filter");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 5) == TINY_GP &&
	   tiny_wrmsr(vcpu, MSR_CSTAR, 5) == TINY_GP &&
	   tiny_rdmsr(vcpu, MSR_CSTAR, &seen) == TINY_GP,
	   "without the FILTER reason both accesses are #GP, as without regpin");
	ok(!regpin_vm_set_user_msr(s.vm.regpin, KVM_MSR_EXIT_REASON_FILTER),
	   "the VMM enables exits");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 7) == TINY_EXIT &&
	   is_exit(vcpu, MSR_STAR) && vcpu->run->msr.data == 7,
	   "an allowed write is left to the VMM");
	tiny_run(vcpu);
	tiny_set_msr(vcpu, MSR_STAR, 7);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_STAR, 3) == TINY_EXIT &&
	   s.events[0].bits == 4 && scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "a reported write is left to the VMM, and is an event");
	tiny_run(vcpu);
	ok(regpin_vm_set_user_msr(s.vm.regpin, 8) == -EINVAL &&
	   regpin_vm_set_user_msr(s.vm.regpin, ~0ull) == -EINVAL,
	   "unknown reasons are refused");
	ok(regpin_vm_set_msr_filter(s.vm.regpin, &(struct kvm_msr_filter){
		.flags = 2 }) == -EINVAL, "a wrong filter");
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, 5) == TINY_EXIT,
	   "a refused filter leaves the old one in place");
	tiny_run(vcpu);
	for (int i = 0; i < 16; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = RW, .base = 0x80000000 + i * 2, .nmsrs = 1,
			.bitmap = none };
	s.nr_events = 0;
	ok(regpin_vm_overflow(s.vm.regpin, text, sizeof(text)) == -ENOENT,
	   "no overflow was reported so far");
	ok(regpin_vm_set_msr_filter(s.vm.regpin, &filter) == -E2BIG &&
	   scene_only(&s, REGPIN_EVENT_REFUSED) &&
	   s.events[0].index == 0x8000001e && s.events[0].value == 1 &&
	   s.events[0].bits == RW && !s.events[0].new_value,
	   "with too many ranges the event names the MSRs");
	ok(!regpin_vm_overflow(s.vm.regpin, text, sizeof(text)) &&
	   strstr(text, "no room for MSR 0x8000001e (the VMM's filter): "),
	   "regpin_vm_overflow() describes the same in text: %s", text);
	memset(&filter, 0, sizeof(filter));
	ok(!regpin_vm_set_msr_filter(s.vm.regpin, &filter) &&
	   !tiny_wrmsr(vcpu, MSR_CSTAR, 5), "an empty filter frees CSTAR");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 0) &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "an empty filter does not free the policy's STAR");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_refusals();
	test_tolerated();
	test_tolerated_later();
	test_options();
	test_attach();
	test_no_msr_rules();
	test_both_want();
	return tap_done();
}
