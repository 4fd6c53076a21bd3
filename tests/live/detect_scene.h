/* SPDX-License-Identifier: GPL-2.0-only */
/* Control registers that are polled, as the KVM cannot filter them. */
#ifndef REGPIN_TESTS_LIVE_DETECT_SCENE_H
#define REGPIN_TESTS_LIVE_DETECT_SCENE_H

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define CR0_WP		(1ull << 16)
#define CR0_MP		(1ull << 1)
#define CR0_EM		(1ull << 2)
#define CR4_TSD		(1ull << 2)
#define CR4_DE		(1ull << 3)
#define CR4_PAE		(1ull << 5)
#define CR4_ON		(CR4_PAE | CR4_DE)

static inline void add_optional(struct regpin_policy *policy, unsigned int type,
				unsigned int kind, uint64_t mask, unsigned int action)
{
	add_rule(policy, type, kind, 0, mask, action);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
}

static inline uint64_t cr(struct tiny_vcpu *vcpu, unsigned int number)
{
	struct kvm_sregs sregs;

	tiny_get_sregs(vcpu, &sregs);
	return number ? sregs.cr4 : sregs.cr0;
}

/* Enters after it was made to look at itself. */
static inline int look(struct tiny_vcpu *vcpu)
{
	uint64_t value;

	regpin_vcpu_tick(vcpu->regpin);
	return tiny_rdmsr(vcpu, MSR_STAR, &value);
}

static inline struct regpin_policy *cr_policy(unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	policy->settings.detect_action = (uint8_t)action;
	add_optional(policy, RULE_STICKY, REGPIN_CR0, CR0_WP, REGPIN_GP);
	add_optional(policy, RULE_NEVER, REGPIN_CR0, CR0_EM, REGPIN_GP);
	add_optional(policy, RULE_STICKY, REGPIN_CR4, CR4_DE, REGPIN_GP);
	add_optional(policy, RULE_NEVER, REGPIN_CR4, CR4_TSD, REGPIN_GP);
	return policy;
}

#endif
