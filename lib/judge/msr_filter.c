// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: KVM takes the first range that matches. The windows come first,
 * each for reads and for writes, so that within them only our bitmaps decide. An MSR
 * outside of the windows is decided by ranges after them: first the policy's, then the
 * VMM's in their order. A window whose bitmap equals KVM's default is left out.
 *
 * If the policy denies by default, so does KVM's default, and it denies the MSRs between
 * the ranges as well. The VMM's ranges outside of the windows are then left out, because
 * they could only allow MSRs. KVM has one default for both reads and writes. If the
 * policy's default is for one of them only, accesses of the other kind outside of the
 * windows exit as well. No CPU has an MSR there, and msr.c answers as KVM would.
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
 * Must writes to MSR @index exit, whether or not a rule names it? If there are pins,
 * writes to LSTAR must, because they arm a vCPU, and writes to SFMASK, because they end
 * its syscall set-up. Otherwise a guest could clear LSTAR and pass for unarmed. Writes to
 * the MSR by which a guest asks for its pins must exit as well.
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
	       filter_wants_unused(policy, index, access);
}

bool filter_wants_unused(const struct regpin_policy *policy, uint32_t index,
			 unsigned int access)
{
	const struct rule *default_rule = policy_wide(policy, RULE_DEFAULT);

	if (!default_rule || default_rule->access & access || filter_window_of(index) >= 0)
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
	 * Pins on control registers are armed by a write to LSTAR as well. The MSR of
	 * `request` is filtered even for a guest for which no rule holds.
	 */
	return policy->nr_rules > 0 || policy->settings.request_msr;
}

static void clear_bit(uint8_t *bitmap, uint32_t bit)
{
	bitmap[bit / 8] &= (uint8_t)~(1u << (bit % 8));
}

/* Does no MSR match? KVM computes the end of a range as a u32, so 2^32 wraps to 0. */
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
 * Takes the next free range, with a bitmap that allows all. If there is none, returns
 * NULL; the caller keeps going, so that the message lists every range that did not fit.
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

/* Applies @change, set_bit() or clear_bit(), to each MSR of @rule within @range. */
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

/* If the default denies: allows only the MSRs that rules exempt from the default. */
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

/* Denies the MSRs that rules of the policy have to judge. */
static void deny_rules(const struct regpin_policy *policy,
		       struct kvm_msr_filter_range *range, unsigned int access)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind == REGPIN_MSR && rule_wants(rule) & access)
			change_bits(rule, range, clear_bit);
	}
}

/* Copies to @bitmap the part of @from, one of the VMM's ranges, that lies within @range. */
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
 * Denies what the VMM's own filter denies within @range. It goes from the VMM's last
 * range to the first, because the first that matches decides.
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

/* Denies writes to the MSRs that arming needs, within @range. */
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

/* Does @range equal KVM's default, apart from the x2APIC's MSRs, which KVM never filters? */
static bool equals_default(const struct kvm_msr_filter_range *range, bool deny)
{
	const uint8_t nothing = deny ? 0 : 0xff;

	for (uint32_t i = 0; i < range->nmsrs; i++) {
		/* Most bytes equal the default as a whole. */
		if (i % 8 == 0 && range->bitmap[i / 8] == nothing)
			i += 7;
		else if (!is_x2apic(range->base + i) &&
			 (range->bitmap[i / 8] >> (i % 8) & 1) == deny)
			return false;
	}
	return true;
}

/* Adds the range for one kind of access, and drops it again if it equals KVM's default. */
static void add_range(const struct regpin_policy *policy,
		      const struct kvm_msr_filter *vmm,
		      struct msr_filter *out, unsigned int *used,
		      uint32_t base, uint32_t nmsrs, unsigned int access)
{
	const struct rule *default_rule = policy_wide(policy, RULE_DEFAULT);
	struct kvm_msr_filter_range *range;

	range = new_range(out, used, base, nmsrs,
			  access == ACCESS_WRITE ? KVM_MSR_FILTER_WRITE :
						   KVM_MSR_FILTER_READ,
			  false);
	if (!range)
		return;
	if (default_rule && (default_rule->access & access || filter_window_of(base) < 0))
		open_rules(policy, range, access);
	deny_rules(policy, range, access);
	deny_for_arming(policy, range, access);
	deny_vmm(vmm, range, access);
	/* A range of the VMM may begin in a window that denies all: keep that window. */
	if (equals_default(range, default_rule) &&
	    (default_rule || !(out->filter.flags & KVM_MSR_FILTER_DEFAULT_DENY))) {
		memset(range, 0, sizeof(*range));
		(*used)--;
	}
}

/*
 * Adds ranges for the policy's rules on MSRs outside of all windows. If the policy denies
 * by default, only rules that allow something need them.
 */
static void add_elsewhere(const struct regpin_policy *policy,
			  const struct kvm_msr_filter *vmm,
			  struct msr_filter *out, unsigned int *used)
{
	const bool closed = policy_wide(policy, RULE_DEFAULT);
	uint32_t request = policy->settings.request_msr;

	/* policy_check() makes sure that no rule names this MSR. */
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

/* Does @range lie in one window, whose ranges decide, or does it match nothing? */
static bool needs_no_range(const struct kvm_msr_filter_range *range)
{
	int window = filter_window_of(range->base);

	return matches_nothing(range) ||
	       (window >= 0 &&
		window == filter_window_of(range->base + (range->nmsrs - 1)));
}

/*
 * Adds the VMM's own ranges, for MSRs outside of all windows. Within windows they allow
 * all: add_range() has applied the VMM's filter there already, and a window that it left
 * out allows everything.
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

/* Adds a range that denies: KVM refuses a filter that denies by default and has no range. */
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

	/* A filter without ranges switches KVM's filtering off. */
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
