/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM without the CR filter, and a policy with the bits that policies/linux.yaml names: a
 * guest clears any bit, and regpin polls.
 */
#ifndef REGPIN_TESTS_UNIT_STOCK_SCENE_H
#define REGPIN_TESTS_UNIT_STOCK_SCENE_H

#include "../build_policy.h"
#include "cm.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#define KERNEL		0xffffffff81000000ull
#define CR0_ON		0x80010033ull
#define CR0_WP		(1ull << 16)
#define CR4_PAE		(1ull << 5)
#define CR4_UMIP	(1ull << 11)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_PINS	(CR4_UMIP | CR4_SMEP | CR4_SMAP)
#define CR4_ON		(CR4_PAE | CR4_PINS)
#define EFER_ON		0xd01ull
#define IN_SMM		1
#define IN_L2		4
#define IN_L2_OLD	256	/* as kernels before 6.10 show it, by KVM_GET_NESTED_STATE */

static inline void add_optional(struct regpin_policy *policy, unsigned int kind,
				uint64_t mask)
{
	add_rule(policy, RULE_STICKY, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
	add_rule(policy, RULE_REQUIRE, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
}

/* The bits that policies/linux.yaml names. */
static inline struct regpin_policy *linux_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_optional(policy, REGPIN_CR0, CR0_WP);
	add_optional(policy, REGPIN_CR4, CR4_PINS);
	return policy;
}

static inline void goes_to(unsigned int n, uint16_t where)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	vcpu->run.flags = where & ~IN_L2_OLD;
	vcpu->in_l2 = where & IN_L2_OLD;
	/* A guest without SVM in its CPUID cannot have a nested guest. */
	vcpu->regpin->guest.svm = vcpu->in_l2;
}

static inline bool set_lstar(unsigned int n)
{
	return mock_wrmsr(n, MSR_LSTAR, KERNEL);
}

/* Starts a kernel up to LSTAR, with these values. */
static inline void prepare(unsigned int n, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	assert_true(mock_wrmsr(n, MSR_EFER, efer));
	assert_true(mock_mov_cr(n, 0, cr0));
	assert_true(mock_mov_cr(n, 1, cr4));
}

static inline void boot(unsigned int n)
{
	mock_boot(n, CR4_ON);
	mock_look(n);
}

#endif
