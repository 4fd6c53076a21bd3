// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sorting a policy: no rule is lost, whatever the order was, and a rule added later is
 * found. test_judge_walk.c tests that the sorted rules are found.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/policy_sort.h"
#include "lib/policy/registers.h"


static uint64_t seed = 0x5eed;

static uint32_t below(uint32_t end)
{
	return (uint32_t)(random64(&seed) % end);
}

/*
 * Few registers, so that several rules apply to one; sometimes the ends of the index
 * range.
 */
static uint32_t some_index(void)
{
	static const uint32_t odd[] = { 0, 1, 0xffffffff, 0xfffffffe,
					MSR_EFER, MSR_LSTAR };

	return below(6) ? 0xc0000080 + below(24) : odd[below(6)];
}

static struct rule some_rule(uint32_t line)
{
	struct rule rule = {
		.mask = below(3) ? ALL : random64(&seed) | 1,
		.index = some_index(), .count = 1, .line = line, .column = 1,
		.kind = (uint8_t)(below(4) ? REGPIN_MSR :
					     below(REGPIN_KIND_MAX)),
		.type = (uint8_t)below(RULE_TYPE_MAX),
		.action = (uint8_t)(REGPIN_REPORT +
				    below(REGPIN_ACTION_MAX - 1)),
		.access = ACCESS_WRITE,
	};

	if (rule.kind != REGPIN_MSR)
		rule.index = 0;
	else if (rule.type >= RULE_DENY && rule.index < 0xfffffff0)
		rule.count = 1 + below(12);
	if (rule.type >= RULE_DENY)
		rule.access = (uint8_t)(1 + below(3));
	return rule;
}

/*
 * No rule is lost, and rules on one register stay in the order in which they were
 * written.
 */
static void sorts(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	for (int i = 0; i < 200; i++) {
		uint32_t nr = below(400);
		uint64_t lines = 0, seen = 0;

		policy->nr_rules = 0;
		for (uint32_t line = 1; line <= nr; line++) {
			struct rule rule = some_rule(line);

			assert_int_equal(policy_add(policy, &rule), 0);
			lines += line * (uint64_t)line;
		}
		assert_int_equal(policy->sorted, policy->sorted && !nr);
		policy_sort(policy);
		for (uint32_t j = 0; j < nr; j++) {
			const struct rule *b = &policy->rules[j], *a = b - 1;

			seen += b->line * (uint64_t)b->line;
			if (!j)
				continue;
			assert_true(rule_is_wide(a) <= rule_is_wide(b));
			if (rule_is_wide(a) != rule_is_wide(b))
				continue;
			assert_true(a->kind < b->kind ||
				    (a->kind == b->kind &&
				     a->index <= b->index));
			if (a->kind == b->kind && a->index == b->index &&
			    a->count == b->count && a->type == b->type)
				assert_true(a->line < b->line);
		}
		assert_int_equal(seen, lines);
	}
	free(policy);
}

/* A rule that is added after the sorting is found. */
static void added_later(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_pin(policy, RULE_STICKY, MSR_LSTAR, ALL, REGPIN_GP);
	policy_sort(policy);
	add_pin(policy, RULE_STICKY, MSR_EFER, ALL, REGPIN_GP);
	assert_non_null(policy_rule_on(policy, REGPIN_MSR, MSR_EFER,
				       ACCESS_WRITE));
	free(policy);
}

/*
 * With more rules than slots, each rule is found by bisection, and no rule is found for
 * other registers.
 */
static void found_among_many(void **context)
{
	static const uint32_t sizes[] = { 1, 2, 512, 513, 1023, 1024, 1025, 3000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_START);

		for (uint32_t nr = sizes[i]; nr; nr--)
			add_deny(policy, 0x1000 + nr * 3, 2, ACCESS_WRITE,
				 REGPIN_GP);
		policy_sort(policy);
		assert_true(policy->sorted);
		for (uint32_t at = 0; at < sizes[i] * 3 + 9; at++) {
			bool named = at >= 3 && at < sizes[i] * 3 + 3 && at % 3 < 2;
			const struct rule *rule =
				policy_rule_on(policy, REGPIN_MSR, 0x1000 + at,
					       ACCESS_WRITE);

			assert_int_equal(rule != NULL, named);
			if (rule)
				assert_int_equal(rule->index,
						 0x1000 + at / 3 * 3);
		}
		free(policy);
	}
}

/*
 * The worst policy: every rule conflicts with every other one, and each is an error.
 * The check must not take quadratic time to refuse it.
 */
static void errors_end(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	struct problems *problems = problems_new();

	assert_non_null(problems);
	for (uint32_t i = 0; i < POLICY_MAX_RULES; i++)
		add_deny(policy, 0x1000 + i / 100, 4096, ACCESS_WRITE,
			 REGPIN_GP);
	assert_true(policy_check(policy, problems) > MAX_PROBLEMS);
	assert_true(problems->errors < 3 * MAX_PROBLEMS);
	problems_free(problems);
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts),
		cmocka_unit_test(added_later),
		cmocka_unit_test(found_among_many),
		cmocka_unit_test(errors_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
