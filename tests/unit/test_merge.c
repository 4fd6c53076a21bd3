// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy and a VMM's own filter are merged to one that denies an access exactly
 * where one of the two does, at every edge of both. If KVM's 16 ranges are too few for
 * that, the MSRs without room are named, and there really is no room.
 */
#include "../random_merge.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/policy/policy.h"
#include "lib/policy/windows.h"

#include <errno.h>


#define CASES	100000u
#define SCANNED	60u	/* of those without room: MSRs that are checked one by one */

static struct msr_filter merged;
static struct regpin_policy *policy;
static struct problems *problems;
static struct random_filter vmm;

static const char *words(bool allowed)
{
	return allowed ? "allowed" : "denied";
}

static void compare(const struct kvm_msr_filter *filter,
		    const struct indices *indices, unsigned int number)
{
	for (unsigned int i = 0; i < 2 * indices->nr; i++) {
		unsigned int access = i & 1 ? ACCESS_WRITE : ACCESS_READ;
		uint32_t index = indices->list[i / 2];
		bool should = merge_allows(policy, filter, index, access);

		if (model_filter_allows(&merged.filter, index, access) !=
		    should)
			fail_msg("case %u: %s MSR 0x%x should be %s", number,
				 access == ACCESS_READ ? "reading" : "writing",
				 index, words(should));
	}
}

/* Must any of the @nmsrs MSRs from @base be denied? */
static bool any_denied(const struct kvm_msr_filter *filter, uint32_t base,
		       uint32_t nmsrs, unsigned int access)
{
	for (uint32_t i = 0; i < nmsrs; i++)
		if (!merge_allows(policy, filter, base + i, access))
			return true;
	return false;
}

static bool in_one_window(uint32_t base, uint32_t nmsrs)
{
	for (int i = 0; i < FILTER_NR_WINDOWS; i++)
		if (base >= filter_windows[i] &&
		    (uint64_t)base + nmsrs <=
			    (uint64_t)filter_windows[i] + FILTER_WINDOW)
			return true;
	return false;
}

/* The number of ranges needed, by the theory of operation in msr_filter.c. */
static unsigned int ranges_needed(const struct kvm_msr_filter *filter)
{
	uint32_t request = policy->settings.request_msr;
	unsigned int nr = request && !in_one_window(request, 1) &&
			  filter_wants(policy, request, ACCESS_WRITE);

	for (int i = 0; i < 2 * FILTER_NR_WINDOWS; i++)
		nr += filter->flags ||
		      any_denied(filter, filter_windows[i / 2], FILTER_WINDOW,
				 1 + i % 2);
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type != RULE_ALLOW &&
		    !in_one_window(policy->rules[i].index,
				   policy->rules[i].count))
			nr += (unsigned int)
				__builtin_popcount(policy->rules[i].access);
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];

		nr += range->nmsrs &&
		      (uint64_t)range->base + range->nmsrs < 1ull << 32 &&
		      !in_one_window(range->base, range->nmsrs);
	}
	return nr;
}

static bool is_vmms(const struct kvm_msr_filter *filter,
		    const struct overflow_range *overflow)
{
	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].base == overflow->base &&
		    filter->ranges[i].nmsrs == overflow->nmsrs &&
		    filter->ranges[i].flags == overflow->flags)
			return true;
	return false;
}

/* A policy that passed the checks always has room; only the VMM's ranges may not. */
static void check_overflow(const struct kvm_msr_filter *filter, bool scan)
{
	char text[2048], name[32];

	assert_in_range(merged.overflow.nr, 1, 16);
	for (unsigned int i = 0; i < merged.overflow.nr; i++) {
		assert_true(merged.overflow.list[i].vmm);
		assert_true(is_vmms(filter, &merged.overflow.list[i]));
		assert_false(in_one_window(merged.overflow.list[i].base,
					   merged.overflow.list[i].nmsrs));
		overflow_text(text, sizeof(text), &merged.overflow);
		snprintf(name, sizeof(name), "0x%x",
			 merged.overflow.list[i].base);
		assert_non_null(strstr(text, name));
	}
	if (scan && !policy_wide(policy, RULE_DEFAULT))
		assert_int_equal(ranges_needed(filter) - merged.overflow.nr,
				 KVM_MSR_FILTER_MAX_RANGES);
}

static void test_merge(void **context)
{
	static struct indices indices;
	unsigned int full = 0, none = 0, denying = 0, closed = 0;
	uint64_t seed = 0xf117e5, looked = 0;

	for (unsigned int i = 0; i < CASES; i++) {
		const struct kvm_msr_filter *filter = &vmm.filter;

		merge_policy(policy, problems, &seed);
		merge_vmm(&vmm, &seed, i % 17);
		assert_int_equal(model_filter_check(filter), 0);
		if (i % 64 == 63)
			filter = NULL;
		closed += policy_wide(policy, RULE_DEFAULT) != NULL;
		if (filter_build(policy, filter, &merged)) {
			check_overflow(filter, full++ < SCANNED);
			continue;
		}
		assert_int_equal(merged.overflow.nr, 0);
		assert_int_equal(model_filter_check(&merged.filter), 0);
		none += !merged.filter.ranges[0].nmsrs;
		denying += merged.filter.flags;
		merge_indices(&indices, &seed, policy, filter);
		compare(filter, &indices, i);
		looked += 2 * indices.nr;
	}
	print_message("# %u cases, %u of them E2BIG, %u empty, %u deny by default, %u for the policy's sake; %llu accesses\n",
		      CASES, full, none, denying, closed,
		      (unsigned long long)looked);
	/* Otherwise the cases would not prove much. */
	assert_in_range(full, 1, CASES / 100);
	assert_in_range(none, 1, CASES / 10);
	assert_in_range(denying, CASES / 4, CASES * 2 / 3);
	assert_in_range(closed, CASES / 20, CASES / 2);
}

/*
 * Checks every index near an edge, not only the edges. That is slow, so only for few
 * cases.
 */
static void test_all_of_windows(void **context)
{
	uint64_t seed = 0xa11;

	for (unsigned int i = 0; i < 3;) {
		static struct indices all;

		merge_policy(policy, problems, &seed);
		merge_vmm(&vmm, &seed, 9 + i);
		if (filter_build(policy, &vmm.filter, &merged))
			continue;
		for (int w = 0; w < FILTER_NR_WINDOWS; w++)
			for (uint32_t j = 0; j < FILTER_WINDOW + 32; j++) {
				all.nr = 1;
				all.list[0] = filter_windows[w] - 16 + j;
				compare(&vmm.filter, &all, i);
			}
		i++;
	}
}

static int set_up(void **context)
{
	policy = new_policy(ARM_SYSCALL_ENTRY);
	problems = problems_new();
	return !problems;
}

static int tear_down(void **context)
{
	free(policy);
	problems_free(problems);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_all_of_windows),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
