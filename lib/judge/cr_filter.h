/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy's rules on control registers, as what KVM_X86_SET_CR_FILTER is given.
 * Pure. CR0, CR4 and XCR0 have the same numbers in KVM's filter and here:
 * kind - REGPIN_CR0.
 */
#ifndef REGPIN_LIB_CR_FILTER_H
#define REGPIN_LIB_CR_FILTER_H

#include "regpin/kvm_cr_filter.h"

#include "lib/policy/policy.h"

#define NR_CRS	3

/* Does the policy want anything that the CR filter can give? */
bool cr_filter_needed(const struct regpin_policy *policy);

/* Does it have rules on control registers that can be looked after without it? */
bool cr_filter_detects(const struct regpin_policy *policy);

/*
 * Builds the filter. @filterable is what this KVM can filter of each register;
 * bits beyond that no guest can change.
 */
void cr_filter_build(const struct regpin_policy *policy,
		     const uint64_t filterable[NR_CRS],
		     struct kvm_x86_cr_filter *out);

#endif
