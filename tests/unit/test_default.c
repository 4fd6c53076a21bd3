// SPDX-License-Identifier: GPL-2.0-only
/*
 * `default: deny` and the exceptions from it: judge and filter agree, for any rules and
 * any filter of the VMM. Also the verdicts on accesses that KVM refuses.
 */
#include "../random_filter.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/registers.h"


#define ROUNDS	1500
#define RW	(ACCESS_READ | ACCESS_WRITE)

static struct msr_filter merged;

static void random_rule(struct regpin_policy *policy, uint64_t *seed)
{
	static const uint32_t pins[] = { MSR_EFER, MSR_STAR, MSR_LSTAR,
					 MSR_CSTAR, MSR_SFMASK, MSR_PAT };
	uint32_t base = random_base(seed), count = random_count(seed);
	unsigned int access = 1 + random64(seed) % 3;

	switch (random64(seed) % 5) {
	case 0:
		add_deny(policy, base, count, access, REGPIN_GP);
		break;
	case 1:
		add_answer(policy, base, 7);
		break;
	case 2:
		add_pin(policy, random64(seed) % RULE_REQUIRE,
			pins[random64(seed) % 6], ALL, REGPIN_GP);
		break;
	default:
		add_allow(policy, base, count, access);
	}
}

static struct regpin_policy *random_policy(uint64_t *seed)
{
	static struct problems problems;
	struct regpin_policy *policy = new_policy(ARM_START);
	unsigned int rules = random64(seed) % 8;

	if (random64(seed) % 4)
		add_default(policy, 1 + random64(seed) % 3, REGPIN_GP);
	policy_check(policy, &problems);
	while (rules--) {
		struct regpin_policy before = *policy;

		random_rule(policy, seed);
		memset(&problems, 0, sizeof(problems));
		if (policy_check(policy, &problems))
			*policy = before;
	}
	return policy;
}

/* Armed, with all bits of all registers set before the write. */
static void judge_it(const struct regpin_policy *policy, uint32_t index,
		     unsigned int access, struct verdict *verdict)
{
	const struct judge_state state = { .armed = true, .setup_done = true,
				     .uniform_known = true, .uniform = 3 };
	const struct access a = { .kind = REGPIN_MSR, .index = index,
				  .write = access == ACCESS_WRITE,
				  .old_value = ~0ull };

	judge(policy, &state, &a, verdict);
}

/* Accesses so far for which filter_wants_first() was enough. */
static unsigned int wanted_first;

static void check_one(const struct regpin_policy *policy,
		      const struct kvm_msr_filter *vmm, uint32_t index,
		      unsigned int access)
{
	bool wants = filter_wants(policy, index, access);
	bool allowed = !wants &&
		       (!vmm || model_filter_allows(vmm, index, access));
	struct verdict verdict;

	if (model_filter_allows(&merged.filter, index, access) != allowed)
		fail_msg("MSR 0x%x, access %u: should be %s", index, access,
			 allowed ? "allowed" : "denied");
	judge_it(policy, index, access, &verdict);
	if ((verdict.rule || verdict.answered) && !wants)
		fail_msg("MSR 0x%x, access %u: judged, but never seen", index,
			 access);
	/*
	 * The reverse holds, too, except for LSTAR and SFMASK, which are filtered for
	 * arming.
	 */
	if (filter_wants_unused(policy, index, access))
		assert_true(!verdict.rule && !verdict.answered);
	/* An exit does not ask the other two if the first rules want the access. */
	if (filter_wants_first(policy, index, access)) {
		assert_true(wants && !filter_wants_unused(policy, index, access));
		wanted_first++;
	}
}

static void check_policy(const struct regpin_policy *policy,
			 const struct kvm_msr_filter *vmm, uint64_t *seed)
{
	struct indices indices = { 0 };

	indices_of(&indices, seed, vmm);
	indices_of(&indices, seed, &merged.filter);
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		add_index(&indices, (uint64_t)rule->index - 1);
		add_index(&indices, rule->index);
		add_index(&indices, (uint64_t)rule->index + rule->count - 1);
		add_index(&indices, (uint64_t)rule->index + rule->count);
	}
	for (unsigned int i = 0; i < indices.nr; i++) {
		check_one(policy, vmm, indices.list[i], ACCESS_READ);
		check_one(policy, vmm, indices.list[i], ACCESS_WRITE);
	}
}

static void test_random(void **context)
{
	static struct random_filter vmm;
	unsigned int built = 0, defaults = 0;
	uint64_t seed = 0xdefa;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct regpin_policy *policy = random_policy(&seed);
		const struct kvm_msr_filter *with = i % 3 ? &vmm.filter : NULL;

		random_filter(&vmm, &seed, i % 12);
		if (!filter_build(policy, with, &merged)) {
			assert_int_equal(model_filter_check(&merged.filter), 0);
			check_policy(policy, with, &seed);
			built++;
		} else {
			/* With a default, the VMM's ranges never are too many. */
			assert_null(policy_wide(policy, RULE_DEFAULT));
		}
		defaults += policy_wide(policy, RULE_DEFAULT) != NULL;
		free(policy);
	}
	print_message("# %u filters of %u, %u with a default\n", built, ROUNDS,
		      defaults);
	assert_true(built > ROUNDS * 9 / 10 && defaults > ROUNDS / 2);
	assert_true(wanted_first > ROUNDS);
}

static unsigned int ranges_used(void)
{
	unsigned int used = 0;

	for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		used += merged.filter.ranges[i].nmsrs != 0;
	return used;
}

/* A policy that allows nothing needs no range, but KVM accepts no filter without one. */
static void test_ranges(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_default(policy, RW, REGPIN_GP);
	add_deny(policy, 0x20000000, 100, RW, REGPIN_DROP);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(merged.filter.flags, KVM_MSR_FILTER_DEFAULT_DENY);
	assert_int_equal(ranges_used(), 1);
	assert_int_equal(model_filter_check(&merged.filter), 0);
	assert_false(model_filter_allows(&merged.filter, 0, ACCESS_READ));
	/* MSRs that KVM never filters need no range. */
	add_allow(policy, 0x800, 0x100, RW);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 1);
	add_allow(policy, MSR_FS_BASE, 1, ACCESS_READ);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 1);
	add_allow(policy, MSR_FS_BASE, 1, ACCESS_WRITE);
	add_allow(policy, 0x30000000, 12288, RW);
	assert_int_equal(filter_build(policy, NULL, &merged), 0);
	assert_int_equal(ranges_used(), 4);
	free(policy);
}

/* The search in sorted rules finds the same as a walk over all rules. */
static void test_sorted(void **context)
{
	uint64_t seed = 0x50f7;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct regpin_policy *policy = random_policy(&seed);
		struct regpin_policy *all = new_policy(0);

		*all = *policy;
		all->sorted = false;
		assert_true(policy->sorted);
		for (unsigned int j = 0; j < 40; j++) {
			uint32_t index = j < 20 ? random_base(&seed) :
				policy->nr_rules ? policy->rules[
					j % policy->nr_rules].index + j % 3 :
				j;
			unsigned int access = 1 + j % 2;
			struct verdict a, b;

			judge_it(policy, index, access, &a);
			judge_it(all, index, access, &b);
			assert_int_equal(a.action, b.action);
			assert_int_equal(a.value, b.value);
			assert_int_equal(a.answered, b.answered);
			assert_int_equal(a.rule ? a.rule - policy->rules : -1,
					 b.rule ? b.rule - all->rules : -1);
			assert_int_equal(filter_wants(policy, index, access),
					 filter_wants(all, index, access));
		}
		free(policy);
		free(all);
	}
}

/* The default applies in every state of the vCPU. */
static void test_judge(void **context)
{
	static const struct {
		uint32_t index;
		unsigned int access;
		bool denied;
	} rows[] = {
		{ 0x10, ACCESS_READ, true }, { 0x10, ACCESS_WRITE, true },
		{ 0xffffffff, ACCESS_READ, true }, { 0, ACCESS_WRITE, true },
		{ 0x800, ACCESS_WRITE, false }, { 0x8ff, ACCESS_READ, false },
		{ 0x7ff, ACCESS_READ, true }, { 0x900, ACCESS_READ, true },
		/* allowed for reads only; pinned; answered; the MSR for requests */
		{ 0x174, ACCESS_READ, false }, { 0x174, ACCESS_WRITE, true },
		{ MSR_EFER, ACCESS_READ, false },
		{ 0x8b, ACCESS_WRITE, true },
		{ 0x4b4d5300, ACCESS_WRITE, false },
		{ 0x4b4d5300, ACCESS_READ, true },
	};
	struct regpin_policy *policy = new_policy(ARM_REQUEST);
	const struct judge_state state = { .armed = false };
	struct verdict verdict;

	policy->settings.request_msr = 0x4b4d5300;
	add_default(policy, RW, REGPIN_DROP);
	add_allow(policy, 0x174, 1, ACCESS_READ);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_answer(policy, 0x8b, 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct access access = {
			.kind = REGPIN_MSR, .index = rows[i].index,
			.write = rows[i].access == ACCESS_WRITE,
			.old_value = 3, .new_value = 4,
		};

		judge(policy, &state, &access, &verdict);
		assert_int_equal(verdict.action, rows[i].denied ?
				 REGPIN_DROP : REGPIN_ALLOW);
		assert_ptr_equal(verdict.rule, rows[i].denied ?
				 policy->rules : NULL);
		if (rows[i].denied)
			assert_int_equal(verdict.value, access.write ? 3 : 0);
	}
	/* The default does not apply to control registers. */
	judge(policy, &state, &(struct access){ .kind = REGPIN_CR0,
						.write = true }, &verdict);
	assert_int_equal(verdict.action, REGPIN_ALLOW);
	free(policy);
}

static void test_refused(void **context)
{
	static const struct {
		unsigned int action, flags;
		bool write;
		unsigned int verdict;
		bool answered, reported;
	} rows[] = {
		{ REGPIN_REPORT, 0, false, REGPIN_REPORT, false, true },
		{ REGPIN_REPORT, 0, true, REGPIN_REPORT, false, true },
		{ REGPIN_DROP, 0, false, REGPIN_DROP, false, true },
		{ REGPIN_DROP, 0, true, REGPIN_DROP, false, true },
		{ REGPIN_DROP, RULE_ANSWERS, false, REGPIN_ALLOW, true, false },
		{ REGPIN_DROP, RULE_ANSWERS, true, REGPIN_DROP, false, true },
		{ REGPIN_GP, RULE_ANSWERS, false, REGPIN_ALLOW, true, false },
		{ REGPIN_GP, RULE_ANSWERS, true, REGPIN_ALLOW, false, false },
		{ REGPIN_REPORT, RULE_ANSWERS, true, REGPIN_REPORT, false,
		  true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_START);
		struct access access = { .kind = REGPIN_MSR, .index = 5,
					 .write = rows[i].write };
		struct verdict verdict;

		add_wide(policy, RULE_INVALID, rows[i].action, rows[i].flags,
			 rows[i].flags ? 9 : 0);
		judge_refused(policy, RULE_INVALID, &access, &verdict);
		assert_int_equal(verdict.action, rows[i].verdict);
		assert_int_equal(verdict.answered, rows[i].answered);
		assert_int_equal(verdict.value, rows[i].answered ? 9 : 0);
		assert_int_equal(verdict.rule != NULL, rows[i].reported);
		/* It has no verdict on the other kind. */
		judge_refused(policy, RULE_UNKNOWN, &access, &verdict);
		assert_int_equal(verdict.action, REGPIN_ALLOW);
		assert_null(verdict.rule);
		free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
