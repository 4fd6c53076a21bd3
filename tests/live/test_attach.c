// SPDX-License-Identifier: GPL-2.0-only
/* What is refused, what stays the VMM's, by the C API. */
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

/* Sets a CPUID that offers @ecx, @eax in @function, and tells regpin. */
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

/* Is there one event, for @reason? */
static bool said(struct scene *s, unsigned int type, unsigned int reason)
{
	return s->events[0].detail == reason && scene_only(s, type);
}

static bool refused(struct scene *s, int ret, unsigned int reason)
{
	return said(s, REGPIN_EVENT_REFUSED, reason) && ret == -EPERM;
}

static void test_refusals(void)
{
	struct regpin_policy *policy = star_policy();
	struct scene s;

	policy->rules[0].action = REGPIN_GP;
	scene_open(&s, policy, 1, TINY_LONG);
	ok(!offer(&s, 1, 0, ~0u, ~(1u << 5)) && scene_silent(&s),
	   "any CPUID without VMX");
	ok(refused(&s, offer(&s, 1, 0, 0, 1u << 5), REGPIN_REFUSED_VMX),
	   "VMX is refused");
	ok(refused(&s, offer(&s, 0x80000001, 0, 0, 1u << 2),
		   REGPIN_REFUSED_SVM), "SVM is refused");
	ok(refused(&s, offer(&s, 7, 1, 1u << 17, 0), REGPIN_REFUSED_FRED),
	   "FRED is refused");
	ok(!regpin_vm_check_slot(s.vm.regpin, 0xffff) && scene_silent(&s),
	   "slots of address space 0");
	ok(refused(&s, regpin_vm_check_slot(s.vm.regpin, 1 << 16),
		   REGPIN_REFUSED_SMM), "SMRAM is refused");
	policy->flags = POLICY_ACCEPT_NESTED | POLICY_ACCEPT_SMM;
	ok(!offer(&s, 1, 0, 0, 1u << 5) && !offer(&s, 0x80000001, 0, 0, 4) &&
	   !regpin_vm_check_slot(s.vm.regpin, 1 << 16) && scene_silent(&s),
	   "accepted, they are not");
	scene_close(&s);
}

static bool tolerated(struct scene *s, int ret, unsigned int reason)
{
	return said(s, REGPIN_EVENT_TOLERATED, reason) && !ret;
}

/* A policy that refuses nothing loses nothing by these: each is reported, once. */
static void test_tolerated(void)
{
	struct regpin_policy *enforces = star_policy();
	struct scene s;

	scene_open(&s, star_policy(), 1, TINY_LONG);
	ok(tolerated(&s, offer(&s, 1, 0, 0, 1u << 5), REGPIN_REFUSED_VMX),
	   "by a policy that only reports VMX is tolerated");
	ok(tolerated(&s, offer(&s, 0x80000001, 0, 0, 1u << 2),
		     REGPIN_REFUSED_SVM), "and SVM");
	ok(tolerated(&s, offer(&s, 7, 1, 1u << 17, 0), REGPIN_REFUSED_FRED),
	   "and FRED");
	ok(tolerated(&s, regpin_vm_check_slot(s.vm.regpin, 1 << 16),
		     REGPIN_REFUSED_SMM), "and SMM");
	ok(!regpin_vm_check_slot(s.vm.regpin, 1 << 16) &&
	   !offer(&s, 1, 0, 0, 1u << 5) && scene_silent(&s),
	   "which is reported once");
	enforces->settings.deadline_action = REGPIN_PAUSE;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "a policy whose floor holds vCPUs can't come then");
	enforces->rules[0].action = REGPIN_GP;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "nor one that enforces");
	enforces->flags = POLICY_ACCEPT_NESTED;
	ok(regpin_vm_set_policy(s.vm.regpin, enforces) == -EPERM,
	   "nor one that accepts the half of it");
	enforces->flags |= POLICY_ACCEPT_SMM;
	ok(!regpin_vm_set_policy(s.vm.regpin, enforces),
	   "one that accepts it all can");
	scene_close(&s);
	free(enforces);
}

/* Nor does it lose anything where it comes to a VM that another one has accepted. */
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
	   "and then tolerated, which is reported");
	scene_close(&s);
	free(reports);
}

static void test_attach(void)
{
	struct regpin_vm_options options = { .size = sizeof(options) - 1 };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_vm *vm = NULL;
	struct tiny_vm tiny;

	tiny_vm_new(&tiny);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, &options, &vm) ==
	   -EINVAL && !vm, "options of another size");
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) ==
	   -EOPNOTSUPP && !vm, "a rule that this KVM can't enforce");
	policy->rules[0].flags = RULE_OPTIONAL;
	ok(!regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) && vm,
	   "but an optional one, without options");
	regpin_vm_detach(vm);
	vm = NULL;
	add_pin(policy, RULE_STICKY, MSR_STAR, ALL, REGPIN_GP);
	setenv("REGPIN_HOST_FORCE", "nofilter", 1);
	ok(regpin_vm_attach(policy, tiny.kvm, tiny.fd, NULL, &vm) ==
	   -EOPNOTSUPP && !vm, "a KVM without the MSR filter");
	unsetenv("REGPIN_HOST_FORCE");
	ok(regpin_vm_attach(policy, tiny.kvm, -1, NULL, &vm) == -EBADF && !vm,
	   "an fd that is no VM");
	tiny_vm_free(&tiny);
	free(policy);
}

static bool is_exit(struct tiny_vcpu *vcpu, uint32_t index)
{
	return vcpu->run->exit_reason == KVM_EXIT_X86_WRMSR &&
	       vcpu->run->msr.reason == KVM_MSR_EXIT_REASON_FILTER &&
	       vcpu->run->msr.index == index;
}

/* Without MSR rules the filter is the VMM's alone. */
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
	   "a VMM's filter under a policy without MSR rules");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 1) == TINY_EXIT &&
	   is_exit(vcpu, MSR_STAR), "its exit reaches it");
	scene_close(&s);
}

/* A policy and a VMM that want the same MSR. */
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
	   "without the FILTER reason both are #GP, as without regpin");
	ok(!regpin_vm_set_user_msr(s.vm.regpin, KVM_MSR_EXIT_REASON_FILTER),
	   "the VMM wants exits");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 7) == TINY_EXIT &&
	   is_exit(vcpu, MSR_STAR) && vcpu->run->msr.data == 7,
	   "an allowed write is the VMM's to do");
	tiny_run(vcpu);
	tiny_set_msr(vcpu, MSR_STAR, 7);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_STAR, 3) == TINY_EXIT &&
	   s.events[0].bits == 4 && scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "a reported one as well, and is an event");
	tiny_run(vcpu);
	ok(regpin_vm_set_user_msr(s.vm.regpin, 8) == -EINVAL &&
	   regpin_vm_set_user_msr(s.vm.regpin, ~0ull) == -EINVAL,
	   "unknown reasons");
	ok(regpin_vm_set_msr_filter(s.vm.regpin, &(struct kvm_msr_filter){
		.flags = 2 }) == -EINVAL, "a wrong filter");
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, 5) == TINY_EXIT,
	   "leaves the old one in place");
	tiny_run(vcpu);
	for (int i = 0; i < 16; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = RW, .base = 0x80000000 + i * 2, .nmsrs = 1,
			.bitmap = none };
	s.nr_events = 0;
	ok(regpin_vm_overflow(s.vm.regpin, text, sizeof(text)) == -ENOENT,
	   "all has fitted so far");
	ok(regpin_vm_set_msr_filter(s.vm.regpin, &filter) == -E2BIG &&
	   scene_only(&s, REGPIN_EVENT_REFUSED) &&
	   s.events[0].index == 0x8000001e && s.events[0].value == 1 &&
	   s.events[0].bits == RW && !s.events[0].new_value,
	   "too many ranges, and the event says for what");
	ok(!regpin_vm_overflow(s.vm.regpin, text, sizeof(text)) &&
	   strstr(text, "no room for MSR 0x8000001e (the VMM's filter): "),
	   "... and regpin_vm_overflow() for people: %s", text);
	memset(&filter, 0, sizeof(filter));
	ok(!regpin_vm_set_msr_filter(s.vm.regpin, &filter) &&
	   !tiny_wrmsr(vcpu, MSR_CSTAR, 5), "an empty filter frees CSTAR");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 0) &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "but not the policy's STAR");
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
	test_attach();
	test_no_msr_rules();
	test_both_want();
	return tap_done();
}
