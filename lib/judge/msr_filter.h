/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy's MSR rules and the VMM's own MSR filter, folded into what KVM is
 * given: at most 16 ranges.
 */
#ifndef REGPIN_LIB_MSR_FILTER_H
#define REGPIN_LIB_MSR_FILTER_H

#include <linux/kvm.h>

#include "judge.h"
#include "overflow.h"



/**
 * struct msr_filter - an MSR filter with its bitmaps
 * @filter: its ranges point into @bitmaps
 * @bitmaps: one for each range, as long as KVM may read: whole longs
 * @overflow: what filter_build() had no range for
 */
struct msr_filter {
	struct kvm_msr_filter filter;
	uint8_t bitmaps[KVM_MSR_FILTER_MAX_RANGES]
		       [KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct overflow overflow;
};

/* Copies a VMM's filter that KVM would take. Returns 0, -EINVAL or -EFAULT. */
int filter_copy(struct msr_filter *copy, const struct kvm_msr_filter *filter);

/* Must KVM show this access to us for the policy's sake? */
bool filter_wants(const struct regpin_policy *policy, uint32_t index,
		  unsigned int access);

/*
 * Must it, but only because KVM's default is one for reads and writes, and the policy's
 * is for the other of them? No window has @index, so there is no such MSR.
 */
bool filter_nowhere(const struct regpin_policy *policy, uint32_t index,
		    unsigned int access);

/* Does the policy want any MSR access at all? */
bool filter_needed(const struct regpin_policy *policy);

/*
 * Builds the filter that denies an access exactly where the policy wants to
 * judge it or @vmm denies it (as far as KVM can filter it at all). @vmm may be
 * NULL. Returns 0, or -E2BIG if that takes more than 16 ranges.
 */
int filter_build(const struct regpin_policy *policy,
		 const struct kvm_msr_filter *vmm, struct msr_filter *out);

#endif
