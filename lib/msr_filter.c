// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: the windows come first, each for reads and for writes,
 * so that within them our bitmaps alone decide; an MSR elsewhere is decided by
 * ranges of its own behind them: the policy's, then the VMM's in their order,
 * because KVM takes the first range that matches. A window in which nothing is
 * denied is left out where the default allows it all the same.
 */
#include <errno.h>
#include <string.h>

#include "model.h"
#include "msr_filter.h"
#include "registers.h"

const uint32_t filter_windows[FILTER_NR_WINDOWS] = {
	0x00000000, 0x40000000, 0x4b564d00, 0xc0000000, 0xc0010000,
};

int filter_window_of(uint32_t index)
{
	for (int i = 0; i < FILTER_NR_WINDOWS; i++)
		if (index - filter_windows[i] < FILTER_WINDOW)
			return i;
	return -1;
}

int filter_copy(struct filter_copy *copy, const struct kvm_msr_filter *filter)
{
	int ret = model_filter_check(filter);

	if (ret)
		return ret;
	memset(copy, 0, sizeof(*copy));
	copy->filter.flags = filter->flags;
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		struct kvm_msr_filter_range *to = &copy->filter.ranges[i];

		if (!filter->ranges[i].nmsrs)
			continue;
		*to = filter->ranges[i];
		to->bitmap = copy->bitmaps[i];
		memcpy(to->bitmap, filter->ranges[i].bitmap,
		       (to->nmsrs + 7) / 8);
	}
	return 0;
}

/*
 * Arming at syscall entry is seen at LSTAR, and the end of the syscall set-up
 * at SFMASK, so both are watched whenever a pin depends on them, whether or not
 * a rule names them: else a guest could clear LSTAR and pass for unarmed. And by
 * one MSR the guest may ask for its pins.
 */
static bool watched(const struct regpin_policy *policy, uint32_t index)
{
	if (policy->settings.request_msr &&
	    index == policy->settings.request_msr)
		return true;
	if (index != MSR_LSTAR && index != MSR_SFMASK)
		return false;
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type < RULE_DENY)
			return true;
	return false;
}

bool filter_wants(const struct regpin_policy *policy, uint32_t index,
		  unsigned int access)
{
	if (policy_rule_on(policy, REGPIN_MSR, index, access))
		return true;
	return access == ACCESS_WRITE && watched(policy, index);
}

bool filter_needed(const struct regpin_policy *policy)
{
	/* Pins on control registers are armed by writes to LSTAR, too. */
	return policy->nr_rules > 0;
}

static void clear_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] &= (uint8_t)~(1u << (bit % 8));
}

/* Takes the next free range, with a bitmap that allows all. */
static struct kvm_msr_filter_range *new_range(struct filter_copy *out,
					      unsigned int *used, uint32_t base,
					      uint32_t nmsrs, uint32_t flags)
{
	struct kvm_msr_filter_range *range;

	if (*used == KVM_MSR_FILTER_MAX_RANGES)
		return NULL;
	range = &out->filter.ranges[*used];
	*range = (struct kvm_msr_filter_range){
		.flags = flags,
		.nmsrs = nmsrs,
		.base = base,
		.bitmap = out->bitmaps[*used],
	};
	memset(range->bitmap, 0xff, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
	(*used)++;
	return range;
}

/* Clears what the policy's rules on reads or writes name within @range. */
static bool deny_rules(const struct regpin_policy *policy,
		       struct kvm_msr_filter_range *range, unsigned int access)
{
	bool any = false;

	for (uint32_t r = 0; r < policy->nr_rules; r++) {
		const struct rule *rule = &policy->rules[r];

		if (rule->kind != REGPIN_MSR || !(rule->access & access))
			continue;
		for (uint32_t i = 0; i < rule->count; i++) {
			uint32_t bit = rule->index + i - range->base;

			if (bit >= range->nmsrs)
				continue;
			clear_bit(range->bitmap, bit);
			any = true;
		}
	}
	return any;
}

/* Clears what the VMM's own filter denies within @range. */
static bool deny_vmm(const struct kvm_msr_filter *vmm,
		     struct kvm_msr_filter_range *range, unsigned int access)
{
	bool any = false;

	if (!vmm)
		return false;
	for (uint32_t i = 0; i < range->nmsrs; i++) {
		if (model_filter_allows(vmm, range->base + i, access))
			continue;
		clear_bit(range->bitmap, i);
		any = true;
	}
	return any;
}

static bool deny_watched(const struct regpin_policy *policy,
			 struct kvm_msr_filter_range *range,
			 unsigned int access)
{
	const uint32_t all[] = {
		MSR_LSTAR, MSR_SFMASK, policy->settings.request_msr,
	};
	bool any = false;

	for (unsigned int i = 0; i < 3 && access == ACCESS_WRITE; i++) {
		if (all[i] - range->base >= range->nmsrs ||
		    !watched(policy, all[i]))
			continue;
		clear_bit(range->bitmap, all[i] - range->base);
		any = true;
	}
	return any;
}

/* One range; given back if it denies nothing that the default would allow. */
static int add_range(const struct regpin_policy *policy,
		     const struct kvm_msr_filter *vmm, struct filter_copy *out,
		     unsigned int *used, uint32_t base, uint32_t nmsrs,
		     unsigned int access)
{
	struct kvm_msr_filter_range *range;
	bool any;

	range = new_range(out, used, base, nmsrs,
			  access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						   KVM_MSR_FILTER_READ);
	if (!range)
		return -E2BIG;
	any = deny_rules(policy, range, access);
	any |= deny_watched(policy, range, access);
	any |= deny_vmm(vmm, range, access);
	if (!any && !(out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY)) {
		memset(range, 0, sizeof(*range));
		(*used)--;
	}
	return 0;
}

/* The policy's rules on MSRs outside of all windows: `deny` by index. */
static int add_elsewhere(const struct regpin_policy *policy,
			 const struct kvm_msr_filter *vmm,
			 struct filter_copy *out, unsigned int *used)
{
	uint32_t request = policy->settings.request_msr;

	/* No rule's range has it: policy_check(). */
	if (filter_window_of(request) < 0 && watched(policy, request) &&
	    add_range(policy, vmm, out, used, request, 1, ACCESS_WRITE))
		return -E2BIG;
	for (uint32_t r = 0; r < policy->nr_rules; r++) {
		const struct rule *rule = &policy->rules[r];

		if (rule->kind != REGPIN_MSR ||
		    (filter_window_of(rule->index) >= 0 &&
		     filter_window_of(rule->index + rule->count - 1) >= 0))
			continue;
		for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
		     access++) {
			int ret;

			if (!(rule->access & access))
				continue;
			ret = add_range(policy, vmm, out, used, rule->index,
					rule->count, access);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* The VMM's own ranges, for what lies outside of all windows. */
static int add_vmm(const struct kvm_msr_filter *vmm, struct filter_copy *out,
		   unsigned int *used)
{
	for (int i = 0; vmm && i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *from = &vmm->ranges[i];
		struct kvm_msr_filter_range *to;
		int window = filter_window_of(from->base);

		if (!from->nmsrs)
			continue;
		if (window >= 0 &&
		    window == filter_window_of(from->base + from->nmsrs - 1))
			continue;
		to = new_range(out, used, from->base, from->nmsrs, from->flags);
		if (!to)
			return -E2BIG;
		memcpy(to->bitmap, from->bitmap, (from->nmsrs + 7) / 8);
	}
	return 0;
}

static bool filter_is_empty(const struct kvm_msr_filter *filter)
{
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].nmsrs)
			return false;
	return true;
}

int filter_build(const struct regpin_policy *policy,
		 const struct kvm_msr_filter *vmm, struct filter_copy *out)
{
	unsigned int used = 0;
	int ret;

	/* No ranges at all switch KVM's filtering off: nothing of the VMM's. */
	if (vmm && filter_is_empty(vmm))
		vmm = NULL;
	memset(&out->filter, 0, sizeof(out->filter));
	if (vmm)
		out->filter.flags = vmm->flags;

	for (int i = 0; i < FILTER_NR_WINDOWS; i++) {
		for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
		     access++) {
			ret = add_range(policy, vmm, out, &used,
					filter_windows[i], FILTER_WINDOW,
					access);
			if (ret)
				return ret;
		}
	}
	ret = add_elsewhere(policy, vmm, out, &used);
	if (ret)
		return ret;
	return add_vmm(vmm, out, &used);
}
