/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A random VMM's MSR filter and a random policy, and the expected result of merging
 * them. Most ranges are where VMMs have theirs, but a range may be in any position
 * relative to others and to the windows. For speed, no bitmap is filled beyond its end.
 */
#ifndef REGPIN_TESTS_RANDOM_MERGE_H
#define REGPIN_TESTS_RANDOM_MERGE_H

#include "lib/judge/judge.h"
#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/policy_sort.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"
#include "random_filter.h"

static inline uint32_t pick(uint64_t *seed, uint32_t below)
{
	return (uint32_t)((random64(seed) >> 32) * below >> 32);
}

/*
 * Chooses the base of @nmsrs MSRs so that the part in a window often has its first or
 * last MSR.
 */
static inline uint32_t merge_base(uint64_t *seed, uint32_t nmsrs,
				  uint32_t before)
{
	static const uint32_t used[] = {
		0x10, 0x35, 0x174, 0x277, 0x606, 0x40000000, 0x4b564d00,
		0xc0000080, 0xc0000102, 0xc0010015, 0xc0010117,
	};
	uint32_t window = filter_windows[pick(seed, FILTER_NR_WINDOWS)];
	uint32_t room = FILTER_WINDOW - nmsrs;

	switch (pick(seed, 100)) {
	case 0 ... 1:	/* anywhere */
		return (uint32_t)random64(seed);
	case 2 ... 3:	/* across the end of a window, or next to it */
		return window + FILTER_WINDOW - pick(seed, nmsrs + 2);
	case 4:		/* across its beginning */
		return window - pick(seed, nmsrs + 2);
	case 5 ... 7:	/* ends at 2^32, or up to two MSRs from it */
		return 0u - nmsrs - 2 + pick(seed, 5);
	case 8 ... 19:	/* x2APIC: across its beginning or end, or within */
		return 0x800 - nmsrs + pick(seed, 0x100 + 2 * nmsrs);
	case 20 ... 39:
		return before + pick(seed, 9) - 4;
	case 40 ... 69:
		return used[pick(seed, 11)] + pick(seed, 6);
	case 70 ... 74:
		return window + room;
	case 75 ... 79:
		return window;
	default:
		return window + pick(seed, room + 1);
	}
}

static inline uint32_t merge_count(uint64_t *seed)
{
	switch (pick(seed, 64)) {
	case 0:
		return FILTER_WINDOW - pick(seed, 3);
	case 1 ... 3:
		return 1 + pick(seed, 300);
	case 4 ... 20:
		return 1;
	default:
		return 1 + pick(seed, 70);
	}
}

static inline void merge_bitmap(uint8_t *bitmap, uint64_t *seed,
				uint32_t nmsrs)
{
	uint32_t kind = pick(seed, 5), bit = pick(seed, nmsrs);

	for (size_t i = 0; i < (nmsrs + 63) / 64; i++) {
		uint64_t value = kind == 0 || kind == 1 ? 0 :
				 kind == 2 || kind == 3 ? ~0ull :
							  random64(seed);

		memcpy(bitmap + i * 8, &value, 8);
	}
	if (kind == 1 || kind == 3)
		bitmap[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

/* A filter that KVM accepts. The fields that KVM must not read have random values. */
static inline void merge_vmm(struct random_filter *to, uint64_t *seed,
			     unsigned int ranges)
{
	uint32_t before = 0xc0000080, full = 0;

	memset(&to->filter, 0, sizeof(to->filter));
	for (unsigned int i = 0; i < ranges; i++) {
		unsigned int at = ranges > 8 ? i : pick(seed, 16);
		struct kvm_msr_filter_range *range = &to->filter.ranges[at];

		range->nmsrs = pick(seed, 12) ? merge_count(seed) : 0;
		range->flags = range->nmsrs ? 1 + pick(seed, 3) : 0xffu;
		range->base = before =
			merge_base(seed, range->nmsrs + !range->nmsrs, before);
		range->bitmap = range->nmsrs ? to->bitmaps[at] : NULL;
		if (range->nmsrs)
			merge_bitmap(to->bitmaps[at], seed, range->nmsrs);
	}
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		full += to->filter.ranges[i].nmsrs != 0;
	if (full && pick(seed, 3) == 0)
		to->filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
}

static inline void merge_rule(struct regpin_policy *policy, uint64_t *seed)
{
	static const uint8_t actions[] = { REGPIN_DROP, REGPIN_GP };
	uint32_t nmsrs = merge_count(seed), kind = pick(seed, 10);

	if (kind < 4)
		add_deny(policy, merge_base(seed, nmsrs, 0x277), nmsrs,
			 1 + pick(seed, 3), actions[pick(seed, 2)]);
	else if (kind < 7)
		add_pin(policy, pick(seed, RULE_DENY),
			(const uint32_t[]){ MSR_EFER, MSR_STAR, MSR_LSTAR,
					    MSR_CSTAR, MSR_SFMASK, MSR_PAT,
					    MSR_SYSENTER_CS, MSR_SYSENTER_EIP
			}[pick(seed, 8)], EFER_NXE, REGPIN_GP);
	else if (kind == 7)
		add_answer(policy, merge_base(seed, 1, 0x35), 1);
	else if (kind == 8)
		add_allow(policy, merge_base(seed, nmsrs, 0x277), nmsrs,
			  1 + pick(seed, 3));
	else
		add_default(policy, 1 + pick(seed, 3), actions[pick(seed, 2)]);
}

/* Makes a policy that passes the checks: a rule that does not is left out. */
static inline void merge_policy(struct regpin_policy *policy,
				struct problems *problems, uint64_t *seed)
{
	static const uint32_t requests[] = { 0x4b4d5300, 0x4b564df0, 0x1f00 };
	unsigned int rules = pick(seed, 6);
	struct rule before[8];

	policy->nr_rules = 0;
	policy_sort(policy);
	policy->arming = pick(seed, 8) ? ARM_SYSCALL_ENTRY : ARM_REQUEST;
	policy->settings.request_msr = policy->arming == ARM_REQUEST ?
					       requests[pick(seed, 3)] : 0;
	while (rules--) {
		uint32_t nr = policy->nr_rules;

		memcpy(before, policy->rules, nr * sizeof(*before));
		merge_rule(policy, seed);
		problems->nr = problems->errors = 0;
		problems->overflow = false;
		if (!policy_check(policy, problems))
			continue;
		memcpy(policy->rules, before, nr * sizeof(*before));
		policy->nr_rules = nr;
		policy_sort(policy);
	}
}

/* The edges of a range, one index to each side of them, and one inside. */
static inline void merge_edges(struct indices *to, uint64_t *seed,
			       uint32_t base, uint32_t nmsrs)
{
	add_index(to, (uint64_t)base - 1);
	add_index(to, base);
	add_index(to, (uint64_t)base + nmsrs - 1);
	add_index(to, (uint64_t)base + nmsrs);
	add_index(to, (uint64_t)base + pick(seed, nmsrs));
}

static inline void merge_indices(struct indices *to, uint64_t *seed,
				 const struct regpin_policy *policy,
				 const struct kvm_msr_filter *vmm)
{
	static const uint32_t others[] = {
		0x7ff, 0x800, 0x8ff, 0x900, 0xfffffffe, 0xffffffff,
		MSR_LSTAR, MSR_SFMASK,
	};

	to->nr = 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		add_index(to, others[i]);
	add_index(to, policy->settings.request_msr);
	add_index(to, random64(seed));
	for (int i = 0; i < FILTER_NR_WINDOWS; i++)
		merge_edges(to, seed, filter_windows[i], FILTER_WINDOW);
	for (int i = 0; vmm && i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (vmm->ranges[i].nmsrs)
			merge_edges(to, seed, vmm->ranges[i].base,
				    vmm->ranges[i].nmsrs);
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		merge_edges(to, seed, policy->rules[i].index,
			    policy->rules[i].count);
}

/* The expected verdict of the merged filter, from the two of which it is made. */
static inline bool merge_allows(const struct regpin_policy *policy,
				const struct kvm_msr_filter *vmm,
				uint32_t index, unsigned int access)
{
	return (!vmm || model_filter_allows(vmm, index, access)) &&
	       !filter_wants(policy, index, access);
}

#endif
