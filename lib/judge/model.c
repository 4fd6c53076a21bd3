// SPDX-License-Identifier: LGPL-2.1-or-later
/* A model of KVM's MSR filter. */
#include <errno.h>
#include <linux/kvm.h>

#include "lib/policy/policy.h"
#include "model.h"

#define RANGE_FLAGS	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)

int model_filter_check(const struct kvm_msr_filter *filter)
{
	bool empty = true;

	if (filter->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];

		if (!range->nmsrs)
			continue;
		empty = false;
		if (!range->flags || range->flags & ~RANGE_FLAGS)
			return -EINVAL;
		if (range->nmsrs > KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)
			return -EINVAL;
		if (!range->bitmap)
			return -EFAULT;
	}
	if (empty && (filter->flags & KVM_MSR_FILTER_DEFAULT_DENY))
		return -EINVAL;
	return 0;
}

bool model_filter_allows(const struct kvm_msr_filter *filter, uint32_t index,
			 unsigned int access)
{
	unsigned int type = access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						     KVM_MSR_FILTER_READ;

	/* x2APIC: never filtered. */
	if (index >= 0x800 && index <= 0x8ff)
		return true;

	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];
		/*
		 * In KVM this is a u32 as well, so a range that reaches 2^32 matches
		 * nothing. An empty range matches nothing either.
		 */
		uint32_t end = range->base + range->nmsrs;

		if (index < range->base || index >= end ||
		    !(range->flags & type))
			continue;
		index -= range->base;
		return range->bitmap[index / 8] & (1u << (index % 8));
	}
	return !(filter->flags & KVM_MSR_FILTER_DEFAULT_DENY);
}
