/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accesses to MSRs that KVM does not know, or refuses; and the answer to an MSR exit. */
#ifndef REGPIN_LIB_REFUSED_H
#define REGPIN_LIB_REFUSED_H

#include "lib/judge/judge.h"
#include "types.h"

/*
 * Answers an MSR exit: the guest gets #GP, or continues after the instruction. Always
 * returns 1.
 */
int refused_answer_msr(struct regpin_vcpu *vcpu, bool gp);

/*
 * Handle accesses that have no effect. refused_exit(): KVM does not know the MSR (@type is
 * RULE_UNKNOWN) or refuses the access (RULE_INVALID). nowhere_exit(): the guest's CPU has
 * no such MSR, no rule names it, and KVM has not been asked. invalid_exit(): KVM would
 * have refused what regpin was to do for the guest; finds out which of the others applies.
 * They return 1 if the exit was answered, 0 if it is the VMM's.
 */
int refused_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 enum rule_type type, struct access *access);
int nowhere_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access);
int invalid_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access);

#endif
