// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: the windows come first, each for reads and for writes,
 * so that within them our bitmaps alone decide; an MSR elsewhere is decided by
 * ranges of its own behind them: the policy's, then the VMM's in their order,
 * because KVM takes the first range that matches. A window that says nothing but what
 * KVM's default does anyway is left out.
 *
 * If the policy denies by default, KVM's default does so too, so there is no hole
 * between the ranges, and the VMM's ranges elsewhere, which could only open one, are
 * left out. KVM's default is one for reads and writes: where the policy's is for one of
 * them, accesses elsewhere of the other kind come to us as well. No MSR is there, and
 * they are answered as KVM would answer them (exit.c).
 */
#include <errno.h>
#include <string.h>

#include "judge.h"
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
	struct rule_range range = policy_range(policy, REGPIN_MSR, index);
	unsigned int spoken = 0;

	for (uint32_t i = range.first; i < range.end; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_covers(rule, REGPIN_MSR, index))
			continue;
		if (rule_wants(rule) & access)
			return true;
		spoken |= rule_speaks_of(rule);
	}
	if (access == ACCESS_WRITE && watched(policy, index))
		return true;
	if (spoken & access)
		return false;
	return judge_default(policy, index, access) ||
	       filter_nowhere(policy, index, access);
}

bool filter_nowhere(const struct regpin_policy *policy, uint32_t index,
		    unsigned int access)
{
	const struct rule *rest = policy_wide(policy, RULE_DEFAULT);

	if (!rest || rest->access & access || filter_window_of(index) >= 0)
		return false;
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule_covers(rule, REGPIN_MSR, index) &&
		    rule_speaks_of(rule) & access)
			return false;
	}
	return !(access == ACCESS_WRITE && watched(policy, index));
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

static void set_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] |= (uint8_t)(1u << (bit % 8));
}

/* Sets or clears within @range what @rule names. */
static void mark(const struct rule *rule, struct kvm_msr_filter_range *range,
		 void (*change)(uint8_t *bitmap, uint32_t bit))
{
	uint64_t first = rule->index, end = first + rule->count;
	uint64_t range_end = (uint64_t)range->base + range->nmsrs;

	if (first < range->base)
		first = range->base;
	if (end > range_end)
		end = range_end;
	for (; first < end; first++)
		change(range->bitmap, (uint32_t)first - range->base);
}

/* Where all is denied that no rule speaks of: opens what rules speak of. */
static void open_rules(const struct regpin_policy *policy,
		       struct kvm_msr_filter_range *range, unsigned int access)
{
	memset(range->bitmap, 0, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == REGPIN_MSR && rule_speaks_of(rule) & access)
			mark(rule, range, set_bit);
	}
}

/* Clears what the policy's rules want to judge. */
static void deny_rules(const struct regpin_policy *policy,
		       struct kvm_msr_filter_range *range, unsigned int access)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == REGPIN_MSR && rule_wants(rule) & access)
			mark(rule, range, clear_bit);
	}
}

/* Clears what the VMM's own filter denies within @range. */
static void deny_vmm(const struct kvm_msr_filter *vmm,
		     struct kvm_msr_filter_range *range, unsigned int access)
{
	for (uint32_t i = 0; vmm && i < range->nmsrs; i++)
		if (!model_filter_allows(vmm, range->base + i, access))
			clear_bit(range->bitmap, i);
}

static void deny_watched(const struct regpin_policy *policy,
			 struct kvm_msr_filter_range *range,
			 unsigned int access)
{
	const uint32_t all[] = {
		MSR_LSTAR, MSR_SFMASK, policy->settings.request_msr,
	};

	for (unsigned int i = 0; i < 3 && access == ACCESS_WRITE; i++)
		if (all[i] - range->base < range->nmsrs &&
		    watched(policy, all[i]))
			clear_bit(range->bitmap, all[i] - range->base);
}

/* Is @range's every bit as KVM's default? What it never filters doesn't count. */
static bool says_nothing(const struct kvm_msr_filter_range *range, bool deny)
{
	for (uint32_t i = 0; i < range->nmsrs; i++)
		if (!is_x2apic(range->base + i) &&
		    (range->bitmap[i / 8] >> (i % 8) & 1) == deny)
			return false;
	return true;
}

/* One range; given back if it says nothing that KVM's default does not. */
static int add_range(const struct regpin_policy *policy,
		     const struct kvm_msr_filter *vmm, struct filter_copy *out,
		     unsigned int *used, uint32_t base, uint32_t nmsrs,
		     unsigned int access)
{
	const struct rule *rest = policy_wide(policy, RULE_DEFAULT);
	struct kvm_msr_filter_range *range;

	range = new_range(out, used, base, nmsrs,
			  access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						   KVM_MSR_FILTER_READ);
	if (!range)
		return -E2BIG;
	if (rest && (rest->access & access || filter_window_of(base) < 0))
		open_rules(policy, range, access);
	deny_rules(policy, range, access);
	deny_watched(policy, range, access);
	deny_vmm(vmm, range, access);
	/* A VMM's range may begin in a window of ours that denies all: it stays. */
	if (says_nothing(range, rest) &&
	    (rest || !(out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY))) {
		memset(range, 0, sizeof(*range));
		(*used)--;
	}
	return 0;
}

/*
 * The policy's rules on MSRs outside of all windows, by index. Where KVM's default
 * denies for the policy's sake that takes ranges for what is allowed only.
 */
static int add_elsewhere(const struct regpin_policy *policy,
			 const struct kvm_msr_filter *vmm,
			 struct filter_copy *out, unsigned int *used)
{
	const bool closed = policy_wide(policy, RULE_DEFAULT);
	uint32_t request = policy->settings.request_msr;

	/* No rule's range has it: policy_check(). */
	if (!closed && filter_window_of(request) < 0 &&
	    watched(policy, request) &&
	    add_range(policy, vmm, out, used, request, 1, ACCESS_WRITE))
		return -E2BIG;
	for (uint32_t r = 0; r < policy->nr_rules; r++) {
		const struct rule *rule = &policy->rules[r];

		if (rule->kind != REGPIN_MSR || rule_is_wide(rule) ||
		    closed != (rule->type == RULE_ALLOW) ||
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

/* KVM takes no filter that denies everything: it wants one range at least. */
static void deny_all(struct filter_copy *out, unsigned int *used)
{
	struct kvm_msr_filter_range *range;

	range = new_range(out, used, 0, 1,
			  KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE);
	memset(range->bitmap, 0, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
}

int filter_build(const struct regpin_policy *policy,
		 const struct kvm_msr_filter *vmm, struct filter_copy *out)
{
	const bool closed = policy_wide(policy, RULE_DEFAULT);
	unsigned int used = 0;
	int ret;

	/* No ranges at all switch KVM's filtering off: nothing of the VMM's. */
	if (vmm && filter_is_empty(vmm))
		vmm = NULL;
	memset(&out->filter, 0, sizeof(out->filter));
	if (vmm)
		out->filter.flags = vmm->flags;
	if (closed)
		out->filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;

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
	if (!ret && !closed)
		ret = add_vmm(vmm, out, &used);
	if (!ret && !used && out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY)
		deny_all(out, &used);
	return ret;
}
