/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy's rules on control registers, as the argument of KVM_X86_SET_CR_FILTER. Pure:
 * no system call, no state. CR0, CR4 and XCR0 have the number kind - REGPIN_CR0 both in
 * KVM's filter and here.
 */
#ifndef REGPIN_LIB_CR_FILTER_H
#define REGPIN_LIB_CR_FILTER_H

#include "regpin/kvm_cr_filter.h"

#include "lib/policy/policy.h"

#define NR_CRS	3

/* Does @policy have pins, or an action for INIT, that need the CR filter? */
bool cr_filter_needed(const struct regpin_policy *policy);

/* Does @policy have rules on control registers that can be polled without the filter? */
bool cr_filter_detects(const struct regpin_policy *policy);

/*
 * Fills @out with the filter for @policy. @filterable has the bits of each register that
 * this KVM can filter; no guest can change any other bit.
 */
void cr_filter_build(const struct regpin_policy *policy,
		     const uint64_t filterable[NR_CRS],
		     struct kvm_x86_cr_filter *out);

#endif
