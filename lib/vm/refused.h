/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accesses to MSRs that KVM does not know, or refuses; and the answer to an MSR exit. */
#ifndef REGPIN_LIB_REFUSED_H
#define REGPIN_LIB_REFUSED_H

#include "lib/judge/judge.h"
#include "types.h"

/* Answers an MSR exit: the guest gets #GP, or goes on behind the instruction. 1. */
int refused_answer_msr(struct regpin_vcpu *vcpu, bool gp);

/*
 * An access that KVM does not know (@type is RULE_UNKNOWN) or refuses
 * (RULE_INVALID), and one where the policy says nothing, no MSR is, and KVM was not
 * asked. Which of them, where KVM would have refused what we were to do for the guest,
 * invalid_exit() finds. 1: answered, 0: the VMM's.
 */
int refused_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 enum rule_type type, struct access *access);
int nowhere_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access);
int invalid_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access);

#endif
