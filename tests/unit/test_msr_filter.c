// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter that KVM gets: how many ranges, for which MSRs, and how a VMM's filter is
 * read.
 */
#include "../random_filter.h"
#include "cm.h"
#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/registers.h"

#include <errno.h>


#define ROUNDS	400

static struct msr_filter merged;

static void random_deny(struct regpin_policy *policy, uint64_t *seed)
{
	uint32_t base = random_base(seed), count = random_count(seed);
	static const uint8_t actions[] = { REGPIN_DROP, REGPIN_GP };

	add_deny(policy, base, count, 1 + random64(seed) % 3,
		 actions[random64(seed) % 2]);
}

static void random_pin(struct regpin_policy *policy, uint64_t *seed)
{
	static const uint32_t all[] = {
		MSR_EFER, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_PAT,
		MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
	};

	add_pin(policy, random64(seed) % RULE_DENY, all[random64(seed) % 9],
		ALL, REGPIN_GP);
}

/* Makes a policy that passes the checks: a rule that does not is left out. */
static struct regpin_policy *random_policy(uint64_t *seed)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	unsigned int rules = random64(seed) % 6;

	while (rules--) {
		struct problems *problems = problems_new();
		struct regpin_policy before = *policy;

		if (random64(seed) % 2)
			random_deny(policy, seed);
		else
			random_pin(policy, seed);
		if (policy_check(policy, problems))
			*policy = before;
		problems_free(problems);
	}
	return policy;
}

static void add_rules_edges(struct indices *to,
			    const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		add_index(to, (uint64_t)rule->index - 1);
		add_index(to, rule->index);
		add_index(to, rule->index + rule->count - 1);
		add_index(to, rule->index + rule->count);
	}
	add_index(to, MSR_LSTAR);
	add_index(to, MSR_SFMASK);
}

static void compare(const struct regpin_policy *policy,
		    const struct kvm_msr_filter *vmm, uint32_t index,
		    unsigned int access)
{
	bool allowed = (!vmm || model_filter_allows(vmm, index, access)) &&
		       !filter_wants(policy, index, access);

	if (model_filter_allows(&merged.filter, index, access) != allowed)
		fail_msg("MSR 0x%x, access %u: should be %s", index, access,
			 allowed ? "allowed" : "denied");
}

static bool check_merge(const struct regpin_policy *policy,
			const struct kvm_msr_filter *vmm, uint64_t *seed)
{
	struct indices indices = { 0 };
	int ret = filter_build(policy, vmm, &merged);

	if (ret) {
		assert_int_equal(ret, -E2BIG);
		return false;
	}
	assert_int_equal(model_filter_check(&merged.filter), 0);
	indices_of(&indices, seed, vmm);
	indices_of(&indices, seed, &merged.filter);
	add_rules_edges(&indices, policy);
	for (unsigned int i = 0; i < indices.nr; i++) {
		compare(policy, vmm, indices.list[i], ACCESS_READ);
		compare(policy, vmm, indices.list[i], ACCESS_WRITE);
	}
	return true;
}

static unsigned int ranges_used(void)
{
	unsigned int used = 0;

	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		used += merged.filter.ranges[i].nmsrs != 0;
	return used;
}

static void test_ranges_used(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 0);
	assert_false(filter_needed(policy));
	/*
	 * The guest may request its pins by this MSR, so it needs a filter without any
	 * rule.
	 */
	policy->settings.request_msr = 0x4b4d5300;
	assert_true(filter_needed(policy));
	policy->settings.request_msr = 0;
	add_pin(policy, RULE_STICKY, MSR_EFER, ALL, REGPIN_GP);
	assert_true(filter_needed(policy));
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 1);
	add_deny(policy, 0x48, 1, ACCESS_READ, REGPIN_GP);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 2);
	add_deny(policy, 0x80000000, 12288, 3, REGPIN_GP);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 4);
	free(policy);
}

/* Sixteen ranges fit, seventeen do not. */
static void test_overflow(void **context)
{
	static struct random_filter vmm;
	struct regpin_policy *policy = new_policy(ARM_START);
	uint64_t seed = 1;

	memset(&vmm, 0, sizeof(vmm));
	add_pin(policy, RULE_STICKY, MSR_EFER, ALL, REGPIN_GP);
	for (uint32_t i = 0; i < 16; i++) {
		vmm.filter.ranges[i].flags = KVM_MSR_FILTER_READ;
		vmm.filter.ranges[i].base = 0x80000000 + i * 16;
		vmm.filter.ranges[i].nmsrs = i < 15 ? 1 : 0;
		vmm.filter.ranges[i].bitmap = vmm.bitmaps[i];
	}
	assert_true(check_merge(policy, &vmm.filter, &seed));
	assert_int_equal(ranges_used(), 16);
	vmm.filter.ranges[15].nmsrs = 1;
	assert_int_equal(filter_build(policy, &vmm.filter, &merged), -E2BIG);
	/* With a default of deny, all windows need their ranges. */
	vmm.filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	for (int i = 6; i < 16; i++)
		vmm.filter.ranges[i].nmsrs = 0;
	assert_true(check_merge(policy, &vmm.filter, &seed));
	assert_int_equal(ranges_used(), 16);
	vmm.filter.ranges[6].nmsrs = 1;
	assert_int_equal(filter_build(policy, &vmm.filter, &merged), -E2BIG);
	free(policy);
}

/*
 * All MSRs without room are listed, by name if they have one, with the owner of the
 * filter.
 */
static void test_overflow_named(void **context)
{
	static struct random_filter vmm;
	struct regpin_policy *policy = new_policy(ARM_START);
	struct overflow many = { .nr = MAX_OVERFLOW, .more = 7 };
	char text[2048], small[400];

	memset(&vmm, 0, sizeof(vmm));
	for (uint32_t i = 0; i < 16; i++) {
		vmm.filter.ranges[i].flags = i % 2 ? 3 : KVM_MSR_FILTER_WRITE;
		vmm.filter.ranges[i].base = 0x80000000 + i * 16;
		vmm.filter.ranges[i].nmsrs = 1 + i % 3;
		vmm.filter.ranges[i].bitmap = vmm.bitmaps[i];
	}
	add_deny(policy, 0x17, 1, ACCESS_READ, REGPIN_GP);
	add_deny(policy, 0x5000000, 1, 3, REGPIN_GP);
	assert_int_equal(filter_build(policy, &vmm.filter, &merged), -E2BIG);
	overflow_text(text, sizeof(text), &merged.overflow);
	assert_string_equal(text, "KVM's 16 ranges have no room for MSRs 0x800000d0-0x800000d1 (the VMM's filter), writes to MSRs 0x800000e0-0x800000e2 (the VMM's filter), MSR 0x800000f0 (the VMM's filter): name fewer MSRs, or wider ranges of them, outside of the usual windows (regpin-policy(5))");
	/* Policies that were not checked, as the fuzzers make them. */
	for (uint32_t i = 0; i < 40; i++)
		add_deny(policy, 0x6000000 + i * 2, 1, 3, REGPIN_GP);
	assert_int_equal(filter_build(policy, NULL, &merged), -E2BIG);
	assert_int_equal(merged.overflow.nr, MAX_OVERFLOW);
	assert_int_equal(merged.overflow.nr + merged.overflow.more + 15, 82);
	for (uint32_t i = 0; i < MAX_OVERFLOW; i++)
		many.list[i] = (struct overflow_range){ .base = 0xc0000081 + i,
						     .nmsrs = 1, .flags = 2 };
	overflow_text(text, sizeof(text), &many);
	assert_non_null(strstr(text, "for writes to STAR (the policy), writes to LSTAR (the policy), "));
	assert_non_null(strstr(text, " and 7 more: name fewer"));
	overflow_text(small, sizeof(small), &many);
	assert_non_null(strstr(small, "writes to STAR (the policy)"));
	assert_non_null(strstr(small, " more: name fewer"));
	assert_non_null(strstr(small, "(regpin-policy(5))"));
	for (size_t size = 1; size < sizeof(small); size++) {
		memset(small, 'x', sizeof(small));
		overflow_text(small, size, &many);
		assert_true(strlen(small) < size);
	}
	free(policy);
}

/* A policy that passes the checks always fits if the VMM has no filter. */
static void test_policies_fit(void **context)
{
	uint64_t seed = 0xf17;

	for (int i = 0; i < ROUNDS; i++) {
		struct regpin_policy *policy = random_policy(&seed);

		assert_int_equal(filter_build(policy, NULL, &merged), 0);
		free(policy);
	}
}

static void test_watched(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_deny(policy, 0x48, 1, 3, REGPIN_GP);
	assert_false(filter_wants(policy, MSR_LSTAR, ACCESS_WRITE));
	add_pin(policy, RULE_STICKY, MSR_PAT, 1, REGPIN_GP);
	assert_true(filter_wants(policy, MSR_LSTAR, ACCESS_WRITE));
	assert_true(filter_wants(policy, MSR_SFMASK, ACCESS_WRITE));
	assert_false(filter_wants(policy, MSR_LSTAR, ACCESS_READ));
	assert_false(filter_wants(policy, MSR_PAT, ACCESS_READ));
	assert_false(filter_wants(policy, MSR_EFER, ACCESS_WRITE));
	free(policy);
}

/* The MSR by which a guest requests its pins, inside and outside of the windows. */
static void test_request(void **context)
{
	static const uint32_t msrs[] = { 0x4b4d5300, 0x4b564df0, 0x1f00 };

	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_REQUEST);
		const struct kvm_msr_filter *filter = &merged.filter;

		policy->settings.request_msr = msrs[i];
		add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
		assert_int_equal(finish_policy(policy), 0);
		assert_true(filter_wants(policy, msrs[i], ACCESS_WRITE));
		assert_false(filter_wants(policy, msrs[i], ACCESS_READ));
		assert_int_equal(filter_build(policy, NULL, &merged), 0);
		assert_false(model_filter_allows(filter, msrs[i],
						 ACCESS_WRITE));
		assert_true(model_filter_allows(filter, msrs[i], ACCESS_READ));
		assert_true(model_filter_allows(filter, msrs[i] - 1,
						ACCESS_WRITE));
		assert_true(model_filter_allows(filter, msrs[i] + 1,
						ACCESS_WRITE));
		free(policy);
	}
}

/* The VMM's bitmaps may end anywhere: no byte after them is read. */
static void test_bitmap_sizes(void **context)
{
	static struct msr_filter copy;

	for (uint32_t nmsrs = 1; nmsrs <= 200; nmsrs++) {
		uint8_t *bitmap = malloc((nmsrs + 7) / 8);
		struct kvm_msr_filter filter = {
			.ranges[5] = { .flags = 3, .base = 0x80000000,
				       .nmsrs = nmsrs, .bitmap = bitmap },
		};

		assert_non_null(bitmap);
		memset(bitmap, 0xa5, (nmsrs + 7) / 8);
		assert_int_equal(filter_copy(&copy, &filter), 0);
		for (uint32_t i = 0; i < nmsrs; i++)
			assert_int_equal(
				model_filter_allows(&copy.filter,
						    0x80000000 + i,
						    ACCESS_READ),
				(0xa5 >> (i % 8)) & 1);
		free(bitmap);
	}
}

static void test_copy_refuses(void **context)
{
	static struct msr_filter copy;
	struct kvm_msr_filter filter = { .flags = 1 };

	assert_int_equal(filter_copy(&copy, &filter), -EINVAL);
	filter.flags = 2;
	assert_int_equal(filter_copy(&copy, &filter), -EINVAL);
	filter.flags = 0;
	filter.ranges[0].nmsrs = 1;
	filter.ranges[0].flags = 3;
	assert_int_equal(filter_copy(&copy, &filter), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_used),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_overflow_named),
		cmocka_unit_test(test_policies_fit),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_bitmap_sizes),
		cmocka_unit_test(test_copy_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
