// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules for some guests only, in a real guest: which rules hold depends on the guest's
 * CPUID. Also policies that follow each other while the guest runs.
 */
#include <inttypes.h>

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define NOWHERE		0x12345678u
#define RW		(ACCESS_READ | ACCESS_WRITE)

static const char amd[WHEN_VENDOR] = "AuthenticAMD";
static const char intel[WHEN_VENDOR] = "GenuineIntel";

static uint16_t add_when(struct regpin_policy *policy, const char *vendor,
			 unsigned int first, unsigned int last)
{
	struct when *when = &policy->whens[policy->nr_whens++];

	if (vendor)
		memcpy(when->vendor, vendor, WHEN_VENDOR);
	if (last) {
		when->families[0] = (struct span){ (uint16_t)first,
						   (uint16_t)last };
		when->nr_families = 1;
	}
	return (uint16_t)policy->nr_whens;
}

static void last_when(struct regpin_policy *policy, uint16_t when)
{
	policy->rules[policy->nr_rules - 1].when = when;
}

/* On AMD: reads of CSTAR are 1; on Intel, family 6: 2; family 0x19: STAR is pinned. */
static struct regpin_policy *when_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	uint16_t on_amd = add_when(policy, amd, 0, 0);
	uint16_t on_intel = add_when(policy, intel, 6, 6);
	uint16_t on_zen = add_when(policy, NULL, 0x19, 0x1a);

	/* These come before all others in the order, so that the rules' numbers differ. */
	add_deny(policy, 0x8b, 1, ACCESS_WRITE, REGPIN_DROP);
	last_when(policy, on_intel);
	add_answer(policy, MSR_CSTAR, 1);
	last_when(policy, on_amd);
	add_answer(policy, MSR_CSTAR, 2);
	last_when(policy, on_intel);
	add_pin(policy, RULE_FROZEN, MSR_STAR, ALL, REGPIN_GP);
	last_when(policy, on_zen);
	add_deny(policy, MSR_SYSENTER_CS, 1, ACCESS_WRITE, REGPIN_GP);
	return policy;
}

/* Sets the CPU's vendor and signature in @cpuid. */
static void set_identity(struct kvm_cpuid2 *cpuid, const char *vendor,
			 uint32_t signature)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0) {
			memcpy(&e->ebx, vendor, 4);
			memcpy(&e->edx, vendor + 4, 4);
			memcpy(&e->ecx, vendor + 8, 4);
		}
		if (e->function == 1)
			e->eax = signature;
	}
}

static int set_cpuid(struct scene *s, unsigned int vcpu)
{
	if (ioctl(s->vcpu[vcpu].fd, KVM_SET_CPUID2, s->vm.cpuid))
		return -errno;
	return regpin_vcpu_set_cpuid(s->vcpu[vcpu].regpin, s->vm.cpuid);
}

/**
 * struct guest_row - a guest, and the rules that hold for it
 */
struct guest_row {
	const char *vendor;
	uint32_t signature;
	uint64_t cstar;
	bool pinned;
};

static const struct guest_row guests[] = {
	{ amd, 0x00a20f10, 1, true },		/* family 0x19, model 0x21 */
	{ amd, 0x00800f12, 1, false },		/* family 0x17 */
	{ intel, 0x000306a9, 2, false },	/* family 6, model 0x3a */
	{ intel, 0x00000f29, 0, false },	/* family 0xf */
	{ "HygonGenuine", 0x00a40f10, 0, true },
	{ "CentaurHauls", 0x000006f0, 0, false },
};

static void test_guest(const struct guest_row *row)
{
	struct tiny_vcpu *vcpu;
	uint64_t value = 5;
	struct scene s;
	int outcome;

	scene_open(&s, when_policy(), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	set_identity(s.vm.cpuid, row->vendor, row->signature);
	ok(!set_cpuid(&s, 0), "a guest of %.12s, 0x%x", row->vendor,
	   row->signature);
	ok(!tiny_rdmsr(vcpu, MSR_CSTAR, &value) && value == row->cstar,
	   "the guest's reads are as its rules require: %" PRIu64, value);
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 1) && !tiny_wrmsr(vcpu, MSR_LSTAR,
							KERNEL) &&
	   (row->pinned ? scene_only(&s, REGPIN_EVENT_ARMED) :
			  scene_silent(&s)),
	   "the guest arms if a pin holds for it");
	outcome = tiny_wrmsr(vcpu, MSR_STAR, 2);
	ok(outcome == (row->pinned ? TINY_GP : 0) &&
	   (!row->pinned || s.policy->rules[s.events[0].rule].type ==
				RULE_FROZEN) &&
	   scene_msr(vcpu, MSR_STAR) == (row->pinned ? 1 : 2),
	   "a pin that is only for this guest holds, and its event has the rule's number");
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_SYSENTER_CS, 1) == TINY_GP &&
	   s.policy->rules[s.events[0].rule].type == RULE_DENY &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "a rule for all guests holds, with its number in the whole policy");
	scene_close(&s);
}

/*
 * Two vCPUs with different CPUIDs are refused in one VM if a condition of the policy
 * distinguishes them.
 */
static void test_two(void)
{
	struct scene s;

	scene_open(&s, when_policy(), 1, TINY_LONG);
	set_identity(s.vm.cpuid, amd, 0x00a20f10);
	ok(!set_cpuid(&s, 0), "the first vCPU's CPUID is accepted");
	set_identity(s.vm.cpuid, amd, 0x00a20f12);
	tiny_vcpu_new(&s.vm, &s.vcpu[1], 1, TINY_LONG);
	s.nr_vcpus = 2;
	ok(!set_cpuid(&s, 1) && scene_silent(&s),
	   "another stepping is accepted");
	set_identity(s.vm.cpuid, amd, 0x00800f12);
	ok(set_cpuid(&s, 1) == -EPERM &&
	   s.events[0].detail == REGPIN_REFUSED_CPUID &&
	   scene_only(&s, REGPIN_EVENT_REFUSED), "another family is refused");
	scene_close(&s);
}

/* Before a CPUID is set, no conditional rule holds, and nothing is filtered for one. */
static void test_no_cpuid(void)
{
	struct regpin_policy *policy = when_policy();
	struct regpin_vm_options options = { .size = sizeof(options) };
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	uint64_t value = 5;

	finish_policy(policy);
	tiny_vm_new(&vm);
	free(vm.cpuid);
	vm.cpuid = NULL;
	ok(!regpin_vm_attach(policy, vm.kvm, vm.fd, &options, &vm.regpin),
	   "a VM without CPUID is accepted");
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_REAL);
	ok(!tiny_rdmsr(&vcpu, MSR_SYSENTER_ESP, &value) && value == 0 &&
	   tiny_wrmsr(&vcpu, MSR_SYSENTER_CS, 1) == TINY_GP &&
	   vm.regpin->policies.now->nr_rules == 1,
	   "without CPUID only rules without a condition hold");
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	free(policy);
}

static struct regpin_policy *plain_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	return policy;
}

static struct regpin_policy *wide_policy(void)
{
	struct regpin_policy *policy = plain_policy();

	add_default(policy, RW, REGPIN_GP);
	add_wide(policy, RULE_UNKNOWN, REGPIN_DROP, 0, 0);
	add_wide(policy, RULE_INVALID, REGPIN_DROP, 0, 0);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_allow(policy, MSR_SFMASK, 1, RW);
	add_allow(policy, NOWHERE, 1, RW);
	add_allow(policy, 0x2ff, 1, RW);
	return policy;
}

/*
 * A policy is tried before it is in KVM's filter, and then put in force: the parts of a
 * swap.
 */
static void begin_change(struct scene *s, struct regpin_policy *policy)
{
	ok(!finish_policy(policy) &&
	   !regpin_vm_set_policy(s->vm.regpin, policy),
	   "another policy is accepted");
}

static void end_change(struct scene *s, struct regpin_policy *policy)
{
	int tries = 100;

	while (!regpin_vm_settled(s->vm.regpin) && tries--)
		;
	ok(tries > 0 && !regpin_vm_policy_done(s->vm.regpin),
	   "a policy is in force on all vCPUs");
	free(s->policy);
	s->policy = policy;
	s->nr_events = 0;
}

/* The guest's view of each policy: a write of CSTAR, an unknown MSR, a refused value. */
static bool sees(struct scene *s, int cstar, int unknown, int refused)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];
	int a = tiny_wrmsr(vcpu, MSR_CSTAR, 1);
	int b = tiny_wrmsr(vcpu, NOWHERE, 1);
	int c = tiny_wrmsr(vcpu, 0x2ff, 0xff);

	if (a != cstar || b != unknown || c != refused)
		printf("# CSTAR %d, unknown %d, refused %d\n", a, b, c);
	return a == cstar && b == unknown && c == refused;
}

static void test_changes(void)
{
	struct regpin_policy *policy;
	struct scene s;

	scene_open(&s, plain_policy(), 1, TINY_LONG);
	ok(sees(&s, 0, TINY_GP, TINY_GP) && !s.nr_events, "a plain policy");
	policy = wide_policy();
	begin_change(&s, policy);
	end_change(&s, policy);
	ok(sees(&s, TINY_GP, 0, 0) && s.nr_events == 3,
	   "a policy with a default and rules on what KVM refuses takes effect");
	policy = plain_policy();
	s.nr_events = 0;
	begin_change(&s, policy);
	/* KVM still has the previous policy's reasons: no exit may reach the VMM. */
	ok(tiny_wrmsr(&s.vcpu[0], NOWHERE, 1) == TINY_GP &&
	   tiny_wrmsr(&s.vcpu[0], 0x2ff, 0xff) == TINY_GP && !s.nr_events,
	   "during the swap an exit that only regpin had requested is a #GP");
	end_change(&s, policy);
	ok(sees(&s, 0, TINY_GP, TINY_GP) && !s.nr_events,
	   "after the swap back the guest sees no difference");
	policy = when_policy();
	regpin_policy_set_number(policy, 3);
	begin_change(&s, policy);
	end_change(&s, policy);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_GP &&
	   s.policy->rules[s.events[0].rule].type == RULE_DENY &&
	   s.events[0].policy == 3, "a policy with conditions takes effect");
	policy = wide_policy();
	begin_change(&s, policy);
	end_change(&s, policy);
	ok(sees(&s, TINY_GP, 0, 0), "a policy with a default takes effect again");
	scene_close(&s);
}

/* From one policy with conditions to another and back, with the same guest. */
static void test_changes_of_conditions(void)
{
	struct regpin_policy *policy = when_policy();
	uint64_t value = 0;
	struct scene s;

	scene_open(&s, policy, 1, TINY_LONG);
	set_identity(s.vm.cpuid, intel, 0x000306a9);
	set_cpuid(&s, 0);
	for (int i = 0; i < 6; i++) {
		policy = when_policy();
		for (uint32_t j = 0; j < policy->nr_rules; j++)
			if (policy->rules[j].type == RULE_VALUE)
				policy->rules[j].value += 100u * (unsigned)i;
		begin_change(&s, policy);
		end_change(&s, policy);
		ok(!tiny_rdmsr(&s.vcpu[0], MSR_CSTAR, &value) &&
		   value == 2 + 100u * (unsigned)i,
		   "the condition still holds after the swaps: %" PRIu64, value);
	}
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
		test_guest(&guests[i]);
	test_two();
	test_no_cpuid();
	test_changes();
	test_changes_of_conditions();
	return tap_done();
}
