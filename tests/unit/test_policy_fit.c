// SPDX-License-Identifier: GPL-2.0-only
/* How policy_fit() adapts a policy to a host that cannot enforce all of it. */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/host.h"
#include "lib/policy/registers.h"
#include "policy/policy_fit.h"
#include "policy/rule_table.h"
#include "policy/unfit.h"

#include <errno.h>
#include <string.h>


static const struct host stock = {
	.api_version = 12, .msr_filter = true, .msr_exits = true,
};

/* The calls that policy_fit() made. */
static struct fitted_rules {
	unsigned int nr;
	struct {
		enum fitted fitted;
		uint32_t line, flags;
	} list[16];
} fitted_rules;

static void record(void *context, enum fitted fitted, const struct rule *rule,
		 const char *why)
{
	struct fitted_rules *to = context;

	assert_true(to->nr < 16);
	assert_true(strlen(why) > 10);
	to->list[to->nr].fitted = fitted;
	to->list[to->nr].flags = rule->flags;
	to->list[to->nr++].line = rule->line;
}

static struct regpin_policy *linux_like(uint32_t flags)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);	/* 1 */
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_GP);	/* 2 */
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	add_rule(policy, RULE_REQUIRE, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	add_rule(policy, RULE_NEVER, REGPIN_CR4, 0, 1 << 13, REGPIN_STOP);
	add_rule(policy, RULE_FROZEN, REGPIN_XCR0, 0, 1, REGPIN_REPORT);
	for (uint32_t i = 2; i < policy->nr_rules; i++)
		policy->rules[i].flags = flags;
	memset(&fitted_rules, 0, sizeof(fitted_rules));
	return policy;
}

static void test_all_enforced(void **state)
{
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);
	struct host host = stock;

	host.cr_filter = true;
	assert_int_equal(policy_fit(policy, &host, record, &fitted_rules), 0);
	assert_int_equal(fitted_rules.nr, 0);
	assert_int_equal(policy->nr_rules, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_false(policy->rules[i].flags & RULE_DETECT);
	free(policy);
}

/* Optional rules are polled, or checked when LSTAR is set. */
static void test_detected(void **state)
{
	static const struct {
		enum fitted fitted;
		uint32_t line;
	} expected[] = {
		{ FIT_DETECTED, 3 }, { FIT_DETECTED, 4 }, { FIT_DETECTED, 5 },
		{ FIT_DETECTED, 6 },
	};
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);

	assert_int_equal(policy_fit(policy, &stock, record, &fitted_rules), 0);
	assert_int_equal(fitted_rules.nr, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(fitted_rules.list[i].fitted, expected[i].fitted);
		assert_int_equal(fitted_rules.list[i].line, expected[i].line);
		assert_int_equal(fitted_rules.list[i].flags, RULE_FLAGS);
	}
	assert_int_equal(policy->nr_rules, 6);
	assert_int_equal(policy->rules[1].type, RULE_REQUIRE);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(policy->rules[i].line, i + 1);
		assert_int_equal(policy->rules[i].flags,
				 i < 2 ? 0 : RULE_FLAGS);
	}
	assert_int_equal(finish_policy(policy), 0);
	free(policy);
}

static void test_detect_none(void **state)
{
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);

	policy->settings.detect_ms = 0;
	assert_int_equal(policy_fit(policy, &stock, record, &fitted_rules), 0);
	assert_int_equal(fitted_rules.nr, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(fitted_rules.list[i].fitted, FIT_LEFT_OUT);
	assert_int_equal(policy->nr_rules, 2);
	free(policy);
}

static void test_refused(void **state)
{
	struct regpin_policy *policy = linux_like(0);

	assert_int_equal(policy_fit(policy, &stock, record, &fitted_rules), 4);
	assert_int_equal(fitted_rules.nr, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(fitted_rules.list[i].fitted, FIT_REFUSED);
	free(policy);
}

/* Without KVM nothing is polled, and a rule on an MSR is never polled. */
static void test_no_kvm(void **state)
{
	const struct host none = { .kvm_errno = ENOENT };
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);

	policy->rules[0].flags = RULE_OPTIONAL;
	assert_int_equal(policy_fit(policy, &none, record, &fitted_rules), 1);
	assert_int_equal(fitted_rules.nr, 6);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(fitted_rules.list[i].fitted, i == 1 ? FIT_REFUSED :
							       FIT_LEFT_OUT);
	free(policy);
}

static void test_init(void **state)
{
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);
	struct host host = stock;

	assert_null(policy_fit_init(policy, &stock));
	policy->settings.init_action = REGPIN_STOP;
	host.cr_filter = true;
	assert_null(policy_fit_init(policy, &host));
	assert_int_equal(policy->settings.init_action, REGPIN_STOP);
	assert_non_null(policy_fit_init(policy, &stock));
	assert_int_equal(policy->settings.init_action, REGPIN_ALLOW);
	assert_null(policy_fit_init(policy, &stock));
	free(policy);
}

/* The table of a mode of a policy, and the rules that its host can't enforce in this mode. */
static void tabulate(struct rule_table *table, struct unfits *unfits, const struct host *host,
		     uint32_t detect_ms)
{
	struct regpin_policy *policy = linux_like(RULE_OPTIONAL);

	/* One rule of the text with two conditions. */
	policy->rules[5].line = policy->rules[4].line;
	policy->rules[5].kind = policy->rules[4].kind;
	policy->settings.detect_ms = detect_ms;
	unfits->nr = 0;
	policy_fit(policy, host, unfits_add, unfits);
	assert_int_equal(rule_table_make(table, policy, unfits), 0);
	free(policy);
}

static void test_known(void **state)
{
	static struct unfits unfits;
	struct rule_table polled, left_out, enforced;
	struct host host = stock;

	host.cr_filter = true;
	tabulate(&enforced, &unfits, &host, 10);
	assert_int_equal(unfits.nr, 0);
	tabulate(&left_out, &unfits, &stock, 0);
	tabulate(&polled, &unfits, &stock, 10);
	assert_int_equal(unfits.nr, 4);
	assert_int_equal(rule_table_drop_known(&enforced, &unfits), 0);
	assert_int_equal(rule_table_drop_known(&left_out, &unfits), 0);
	assert_int_equal(unfits.nr, 4);
	unfits.list[0].fitted = FIT_REFUSED;
	unfits.list[2].why = "another reason";
	assert_int_equal(rule_table_drop_known(&polled, &unfits), 2);
	assert_int_equal(unfits.nr, 2);
	assert_int_equal(unfits.list[0].fitted, FIT_REFUSED);
	assert_string_equal(unfits.list[1].why, "another reason");
	rule_table_free(&polled);
	rule_table_free(&left_out);
	rule_table_free(&enforced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_enforced),
		cmocka_unit_test(test_detected),
		cmocka_unit_test(test_detect_none),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_kvm),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_known),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
