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
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"
#include "model.h"
#include "msr_filter.h"

int filter_copy(struct msr_filter *copy, const struct kvm_msr_filter *filter)
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
static bool arming_needs(const struct regpin_policy *policy, uint32_t index)
{
	if (policy->settings.request_msr &&
	    index == policy->settings.request_msr)
		return true;
	return (index == MSR_LSTAR || index == MSR_SFMASK) &&
	       policy_has_pins(policy);
}

bool filter_wants(const struct regpin_policy *policy, uint32_t index,
		  unsigned int access)
{
	struct rule_range range = policy_range(policy, REGPIN_MSR, index);
	unsigned int spoken = 0;

	for (uint32_t i = range.first; i < range.end; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule_is_after(policy, rule, index))
			break;
		if (!rule_covers(rule, REGPIN_MSR, index))
			continue;
		if (rule_wants(rule) & access)
			return true;
		spoken |= rule_speaks_of(rule);
	}
	if (access == ACCESS_WRITE && arming_needs(policy, index))
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
	return !(access == ACCESS_WRITE && arming_needs(policy, index));
}

bool filter_needed(const struct regpin_policy *policy)
{
	/*
	 * Pins on control registers are armed by writes to LSTAR, too. And the MSR by
	 * which a guest asks is there for guests, too, for whom no rule holds.
	 */
	return policy->nr_rules > 0 || policy->settings.request_msr;
}

static void clear_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] &= (uint8_t)~(1u << (bit % 8));
}

/* KVM's end of a range is a u32: one that reaches 2^32 is never met. */
static bool matches_nothing(const struct kvm_msr_filter_range *range)
{
	return !range->nmsrs ||
	       (uint64_t)range->base + range->nmsrs > UINT32_MAX;
}

static void note_overflow(struct overflow *overflow, uint32_t base,
			  uint32_t nmsrs, uint32_t flags, bool vmm)
{
	if (overflow->nr == MAX_OVERFLOW) {
		overflow->more++;
		return;
	}
	overflow->list[overflow->nr++] = (struct overflow_range){
		.base = base, .nmsrs = nmsrs, .flags = flags, .vmm = vmm,
	};
}

/*
 * Takes the next free range, with a bitmap that allows all. Where there is none the
 * others are tried all the same: who reads of one wants to know of all.
 */
static struct kvm_msr_filter_range *new_range(struct msr_filter *out,
					      unsigned int *used, uint32_t base,
					      uint32_t nmsrs, uint32_t flags,
					      bool vmm)
{
	struct kvm_msr_filter_range *range;

	if (*used == KVM_MSR_FILTER_MAX_RANGES) {
		note_overflow(&out->overflow, base, nmsrs, flags, vmm);
		return NULL;
	}
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
static void change_bits(const struct rule *rule, struct kvm_msr_filter_range *range,
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
			change_bits(rule, range, set_bit);
	}
}

/* Clears what the policy's rules want to judge. */
static void deny_rules(const struct regpin_policy *policy,
		       struct kvm_msr_filter_range *range, unsigned int access)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == REGPIN_MSR && rule_wants(rule) & access)
			change_bits(rule, range, clear_bit);
	}
}

/* One of the VMM's ranges, as far as it lies within @range, to @bitmap. */
static void copy_bits(uint8_t *bitmap, const struct kvm_msr_filter_range *range,
		      const struct kvm_msr_filter_range *from)
{
	uint64_t base = from->base > range->base ? from->base : range->base;
	uint64_t end = (uint64_t)from->base + from->nmsrs;

	if ((uint64_t)range->base + range->nmsrs < end)
		end = (uint64_t)range->base + range->nmsrs;
	for (uint64_t i = base; i < end; i++) {
		uint32_t bit = (uint32_t)i - from->base;

		if (from->bitmap[bit / 8] & (1u << (bit % 8)))
			set_bit(bitmap, (uint32_t)i - range->base);
		else
			clear_bit(bitmap, (uint32_t)i - range->base);
	}
}

/*
 * Clears what the VMM's own filter denies within @range. From its last range to its
 * first, as the first that matches wins.
 */
static void deny_vmm(const struct kvm_msr_filter *vmm,
		     struct kvm_msr_filter_range *range, unsigned int access)
{
	uint32_t type = access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						 KVM_MSR_FILTER_READ;
	uint8_t allows[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

	if (!vmm)
		return;
	memset(allows, vmm->flags & KVM_MSR_FILTER_DEFAULT_DENY ? 0 : 0xff,
	       sizeof(allows));
	for (int i = KVM_MSR_FILTER_MAX_RANGES - 1; i >= 0; i--)
		if (vmm->ranges[i].flags & type &&
		    !matches_nothing(&vmm->ranges[i]))
			copy_bits(allows, range, &vmm->ranges[i]);
	for (uint32_t i = MSR_X2APIC; is_x2apic(i); i++)
		if (i - range->base < range->nmsrs)
			set_bit(allows, i - range->base);
	for (size_t i = 0; i < sizeof(allows); i++)
		range->bitmap[i] &= allows[i];
}

static void deny_for_arming(const struct regpin_policy *policy,
			    struct kvm_msr_filter_range *range,
			    unsigned int access)
{
	const uint32_t all[] = {
		MSR_LSTAR, MSR_SFMASK, policy->settings.request_msr,
	};

	for (unsigned int i = 0; i < 3 && access == ACCESS_WRITE; i++)
		if (all[i] - range->base < range->nmsrs &&
		    arming_needs(policy, all[i]))
			clear_bit(range->bitmap, all[i] - range->base);
}

/* Is @range's every bit as KVM's default? What it never filters doesn't count. */
static bool says_nothing(const struct kvm_msr_filter_range *range, bool deny)
{
	const uint8_t nothing = deny ? 0 : 0xff;

	for (uint32_t i = 0; i < range->nmsrs; i++) {
		/* Most bytes are decided at once. */
		if (i % 8 == 0 && range->bitmap[i / 8] == nothing)
			i += 7;
		else if (!is_x2apic(range->base + i) &&
			 (range->bitmap[i / 8] >> (i % 8) & 1) == deny)
			return false;
	}
	return true;
}

/* One range; given back if it says nothing that KVM's default does not. */
static void add_range(const struct regpin_policy *policy,
		      const struct kvm_msr_filter *vmm,
		      struct msr_filter *out, unsigned int *used,
		      uint32_t base, uint32_t nmsrs, unsigned int access)
{
	const struct rule *rest = policy_wide(policy, RULE_DEFAULT);
	struct kvm_msr_filter_range *range;

	range = new_range(out, used, base, nmsrs,
			  access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						   KVM_MSR_FILTER_READ,
			  false);
	if (!range)
		return;
	if (rest && (rest->access & access || filter_window_of(base) < 0))
		open_rules(policy, range, access);
	deny_rules(policy, range, access);
	deny_for_arming(policy, range, access);
	deny_vmm(vmm, range, access);
	/* A VMM's range may begin in a window of ours that denies all: it stays. */
	if (says_nothing(range, rest) &&
	    (rest || !(out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY))) {
		memset(range, 0, sizeof(*range));
		(*used)--;
	}
}

/*
 * The policy's rules on MSRs outside of all windows, by index. Where KVM's default
 * denies for the policy's sake that takes ranges for what is allowed only.
 */
static void add_elsewhere(const struct regpin_policy *policy,
			  const struct kvm_msr_filter *vmm,
			  struct msr_filter *out, unsigned int *used)
{
	const bool closed = policy_wide(policy, RULE_DEFAULT);
	uint32_t request = policy->settings.request_msr;

	/* No rule's range has it: policy_check(). */
	if (!closed && filter_window_of(request) < 0 &&
	    arming_needs(policy, request))
		add_range(policy, vmm, out, used, request, 1, ACCESS_WRITE);
	for (uint32_t r = 0; r < policy->nr_rules; r++) {
		const struct rule *rule = &policy->rules[r];

		if (rule->kind != REGPIN_MSR || rule_is_wide(rule) ||
		    closed != (rule->type == RULE_ALLOW) ||
		    (filter_window_of(rule->index) >= 0 &&
		     filter_window_of(rule->index + rule->count - 1) >= 0))
			continue;
		for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
		     access++)
			if (rule->access & access)
				add_range(policy, vmm, out, used, rule->index,
					  rule->count, access);
	}
}

/* Does it lie in one window, whose own ranges decide then? Or match nothing at all? */
static bool needs_no_range(const struct kvm_msr_filter_range *range)
{
	int window = filter_window_of(range->base);

	return matches_nothing(range) ||
	       (window >= 0 &&
		window == filter_window_of(range->base + (range->nmsrs - 1)));
}

/*
 * The VMM's own ranges, for what lies outside of all windows. A window that was left
 * out is allowed as a whole, by VMM's ranges that are not here any more, too.
 */
static void add_vmm(const struct kvm_msr_filter *vmm, struct msr_filter *out,
		    unsigned int *used)
{
	for (int i = 0; vmm && i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *from = &vmm->ranges[i];
		struct kvm_msr_filter_range *to;

		if (needs_no_range(from))
			continue;
		to = new_range(out, used, from->base, from->nmsrs, from->flags,
			       true);
		if (!to)
			continue;
		memcpy(to->bitmap, from->bitmap, (from->nmsrs + 7) / 8);
		for (uint32_t bit = 0; bit < from->nmsrs; bit++)
			if (filter_window_of(from->base + bit) >= 0)
				set_bit(to->bitmap, bit);
	}
}

static bool filter_is_empty(const struct kvm_msr_filter *filter)
{
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].nmsrs)
			return false;
	return true;
}

/* KVM takes no filter that denies everything: it wants one range at least. */
static void deny_all(struct msr_filter *out, unsigned int *used)
{
	struct kvm_msr_filter_range *range;

	range = new_range(out, used, 0, 1,
			  KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, false);
	memset(range->bitmap, 0, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
}

int filter_build(const struct regpin_policy *policy,
		 const struct kvm_msr_filter *vmm, struct msr_filter *out)
{
	const bool closed = policy_wide(policy, RULE_DEFAULT);
	unsigned int used = 0;

	/* No ranges at all switch KVM's filtering off: nothing of the VMM's. */
	if (vmm && filter_is_empty(vmm))
		vmm = NULL;
	memset(&out->filter, 0, sizeof(out->filter));
	out->overflow.nr = out->overflow.more = 0;
	if (vmm)
		out->filter.flags = vmm->flags;
	if (closed)
		out->filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;

	for (int i = 0; i < FILTER_NR_WINDOWS; i++)
		for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
		     access++)
			add_range(policy, vmm, out, &used, filter_windows[i],
				  FILTER_WINDOW, access);
	add_elsewhere(policy, vmm, out, &used);
	if (!closed)
		add_vmm(vmm, out, &used);
	if (!used && out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY)
		deny_all(out, &used);
	return out->overflow.nr ? -E2BIG : 0;
}
