/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy's MSR rules and the VMM's own MSR filter, merged into the filter that KVM
 * gets: at most 16 ranges. msr_filter.c explains how they are packed.
 */
#ifndef REGPIN_LIB_MSR_FILTER_H
#define REGPIN_LIB_MSR_FILTER_H

#include <linux/kvm.h>

#include "judge.h"
#include "overflow.h"

/**
 * struct msr_filter - an MSR filter with its bitmaps
 * @filter: its ranges point into @bitmaps
 * @bitmaps: one for each range, of the largest size: KVM reads whole longs
 * @overflow: the MSRs for which filter_build() had no range left
 */
struct msr_filter {
	struct kvm_msr_filter filter;
	uint8_t bitmaps[KVM_MSR_FILTER_MAX_RANGES]
		       [KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct overflow overflow;
};

/* Copies a VMM's filter. Returns 0, or what KVM would return: -EINVAL or -EFAULT. */
int filter_copy(struct msr_filter *copy, const struct kvm_msr_filter *filter);

/*
 * Do the first rules that may cover MSR @index want @access (ACCESS_*)? Nearly all exits
 * are for such rules. If the answer is yes, filter_wants() is true, and
 * filter_wants_unused() is false; these search all rules.
 */
static inline bool filter_wants_first(const struct regpin_policy *policy, uint32_t index,
				      unsigned int access)
{
	struct rule_range range = policy_range(policy, REGPIN_MSR, index);
	const struct pins *pins = &policy->pins[range.first];

	return policy->sorted && range.first < range.end &&
	       index - pins->index < pins->count && pins->wants & access;
}

/* Must KVM forward @access (ACCESS_*) to MSR @index because of @policy? */
bool filter_wants(const struct regpin_policy *policy, uint32_t index,
		  unsigned int access);

/*
 * Must KVM forward @access only because KVM has one default for both reads and writes,
 * and the policy's default is for the other of the two? Then @index is outside of all
 * windows, so no CPU has this MSR.
 */
bool filter_wants_unused(const struct regpin_policy *policy, uint32_t index,
			 unsigned int access);

/* Does the policy need an MSR filter at all? */
bool filter_needed(const struct regpin_policy *policy);

/*
 * Fills @out with the filter that denies an access exactly if the policy has to judge it
 * or @vmm denies it (and KVM can filter it at all). @vmm is the VMM's filter, or NULL.
 * Returns 0, or -E2BIG if that takes more than 16 ranges; @out->overflow has the rest.
 */
int filter_build(const struct regpin_policy *policy,
		 const struct kvm_msr_filter *vmm, struct msr_filter *out);

#endif
