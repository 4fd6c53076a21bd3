// SPDX-License-Identifier: GPL-2.0-only
/* The messages about several rules, and about a policy as a whole. */
#include "policy_scene.h"

/**
 * struct pair - two rules on EFER, and the expected message
 */
struct pair {
	uint8_t type[2];
	uint64_t mask[2];
	const char *error, *warning;
};

static const struct pair pairs[] = {
	{ { RULE_STICKY, RULE_STICKY }, { 1, 2 }, NULL, NULL },
	{ { RULE_STICKY, RULE_STICKY }, { 3, 2 }, "already in the rule at 1:1",
	  NULL },
	{ { RULE_STICKY, RULE_NEVER }, { 3, 4 }, NULL, NULL },
	{ { RULE_STICKY, RULE_NEVER }, { 3, 2 }, NULL, "what frozen means" },
	{ { RULE_NEVER, RULE_STICKY }, { 3, 2 }, NULL, "what frozen means" },
	{ { RULE_FROZEN, RULE_STICKY }, { 1, 1 }, NULL, "frozen includes" },
	{ { RULE_NEVER, RULE_FROZEN }, { 1, 1 }, NULL, "frozen includes" },
	{ { RULE_REQUIRE, RULE_NEVER }, { 3, 4 }, NULL, NULL },
	{ { RULE_REQUIRE, RULE_NEVER }, { 3, 2 }, "both require and never",
	  NULL },
	{ { RULE_NEVER, RULE_REQUIRE }, { 3, 2 }, "both require and never",
	  NULL },
	{ { RULE_REQUIRE, RULE_REQUIRE }, { 3, 2 }, "already in the rule",
	  NULL },
	{ { RULE_REQUIRE, RULE_FROZEN }, { 3, 3 }, NULL, NULL },
	{ { RULE_STICKY, RULE_REQUIRE }, { 3, 3 }, NULL, NULL },
	{ { RULE_ONCE, RULE_UNIFORM }, { ALL, ALL }, NULL, NULL },
	{ { RULE_ONCE, RULE_ONCE }, { ALL, ALL }, "already", NULL },
	{ { RULE_UNIFORM, RULE_DENY }, { ALL, ALL }, NULL, "decides nothing" },
	{ { RULE_DENY, RULE_STICKY }, { ALL, 1 }, NULL, "decides nothing" },
	{ { RULE_DENY, RULE_DENY }, { ALL, ALL }, "already", NULL },
	{ { RULE_DENY, RULE_VALUE }, { ALL, ALL }, NULL, NULL },
	{ { RULE_REPORT, RULE_DENY }, { ALL, ALL }, NULL, "adds nothing" },
	{ { RULE_DENY, RULE_REPORT }, { ALL, ALL }, NULL, "adds nothing" },
	{ { RULE_REPORT, RULE_REPORT }, { ALL, ALL }, "already", NULL },
	{ { RULE_REPORT, RULE_STICKY }, { ALL, 1 }, NULL, NULL },
	{ { RULE_UNIFORM, RULE_REPORT }, { ALL, ALL }, NULL, NULL },
	{ { RULE_REPORT, RULE_VALUE }, { ALL, ALL }, NULL, NULL },
};

static void each_pair(void **state)
{
	for (size_t i = 0; i < NR(pairs); i++) {
		const struct pair *pair = &pairs[i];
		unsigned int errors;

		policy->nr_rules = 0;
		memset(problems, 0, sizeof(*problems));
		for (int j = 0; j < 2; j++) {
			add_pin(policy, pair->type[j], MSR_EFER, pair->mask[j],
				REGPIN_GP);
			if (pair->type[j] == RULE_VALUE)
				policy->rules[j].access = ACCESS_READ;
			if (pair->type[j] == RULE_REPORT)
				policy->rules[j].action = REGPIN_REPORT;
		}
		errors = policy_check(policy, problems);
		if (errors != !!pair->error ||
		    problems->nr - errors != !!pair->warning ||
		    (pair->error && !said(false, pair->error)) ||
		    (pair->warning && !said(true, pair->warning)))
			fail_msg("pair %zu: %u errors, %u problems, first: %s",
				 i, errors, problems->nr,
				 problems->list[0].text);
		if (problems->nr)
			assert_int_equal(problems->list[0].line, 2);
	}
}

static void value_and_deny_read(void **state)
{
	add_deny(policy, 0x80, 0x20, ACCESS_READ, REGPIN_GP);
	add_pin(policy, RULE_VALUE, 0x8b, ALL, REGPIN_GP);
	policy->rules[1].access = ACCESS_READ;
	assert_int_equal(policy_check(policy, problems), 1);
	assert_true(said(false, "apply to reads"));
}

/* Two denials overlap if both their MSRs and their accesses overlap. */
static void overlapping_denials(void **state)
{
	add_deny(policy, 0x100, 0x10, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x110, 0x10, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x108, 0x10, ACCESS_READ, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	add_deny(policy, 0x11f, 1, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 1);
	assert_true(said(false, "already in the rule at 2:1"));
}

/* A wide range does not hide an overlap with the narrow ones that follow it. */
static void overlap_at_a_distance(void **state)
{
	add_deny(policy, 0x1000, 0x100, ACCESS_READ, REGPIN_GP);
	for (uint32_t i = 0; i < 8; i++)
		add_deny(policy, 0x1000 + i * 8, 1, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x10ff, 1, ACCESS_READ, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 1);
}

static void nested_and_never(void **state)
{
	policy->flags = POLICY_ACCEPT_NESTED;
	add_pin(policy, RULE_NEVER, MSR_EFER, EFER_SVME, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	assert_true(said(true, "EFER.SVME contradict"));
}

static void optional_control_register(void **state)
{
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	policy->rules[0].flags = RULE_OPTIONAL;
	assert_int_equal(policy_check(policy, problems), 0);
	assert_int_equal(problems->nr, 0);
}

static void hot_bits(void **state)
{
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, 1 << 7 | 1 << 20,
		 REGPIN_GP);
	add_rule(policy, RULE_NEVER, REGPIN_CR0, 0, 1 << 3, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	assert_true(said(true, "change bit PGE of CR4"));
	assert_false(said(true, "TS"));
}

/* A pin on such a bit costs more than a #GP. */
static void hot_bits_held(void **state)
{
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, 1 << 7, REGPIN_PAUSE);
	add_rule(policy, RULE_FROZEN, REGPIN_CR0, 0, 1 << 3, REGPIN_STOP);
	assert_int_equal(policy_check(policy, problems), 0);
	assert_true(said(true, "the vCPU would be held each time"));
	assert_true(said(true, "so stop the VM"));
}

/* KVM has 16 ranges; the windows use ten. */
static void ranges_elsewhere(void **state)
{
	for (uint32_t i = 1; i <= 3; i++)
		add_deny(policy, i << 20, 1, ACCESS_READ | ACCESS_WRITE,
			 REGPIN_GP);
	for (uint32_t i = 0; i < 100; i++)
		add_deny(policy, 0xc0010000 + 0x1100 + i, 1, ACCESS_READ,
			 REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	add_deny(policy, 0x12340000, 1, ACCESS_WRITE, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 1);
	assert_true(said(false, "6 ranges left"));
}

static void sorted(void **state)
{
	static const uint32_t order[] = { 5, 3, 8, 7, 4, 2, 6, 1, 9 };

	add_rule(policy, RULE_STICKY, REGPIN_XCR0, 0, 1, REGPIN_GP);	/* 1 */
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1, REGPIN_GP);	/* 2 */
	add_pin(policy, RULE_UNIFORM, MSR_PAT, ALL, REGPIN_GP);		/* 3 */
	add_pin(policy, RULE_FROZEN, MSR_EFER, 1 << 8, REGPIN_GP);	/* 4 */
	add_deny(policy, 0x100, 2, ACCESS_READ, REGPIN_GP);		/* 5 */
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, 1 << 20, REGPIN_GP);
	add_pin(policy, RULE_NEVER, MSR_EFER, EFER_SVME, REGPIN_GP);	/* 7 */
	add_pin(policy, RULE_STICKY, MSR_EFER, 1, REGPIN_GP);		/* 8 */
	add_rule(policy, RULE_STICKY, REGPIN_XCR0, 0, 2, REGPIN_GP);	/* 9 */
	assert_int_equal(policy_check(policy, problems), 0);
	for (size_t i = 0; i < NR(order); i++)
		assert_int_equal(policy->rules[i].line, order[i]);
}

static void too_many_rules(void **state)
{
	struct rule rule = { .count = 1 };

	for (int i = 0; i < POLICY_MAX_RULES; i++)
		assert_int_equal(policy_add(policy, &rule), 0);
	assert_int_equal(policy_add(policy, &rule), -E2BIG);
	assert_int_equal(policy->nr_rules, POLICY_MAX_RULES);
}

/* The largest number of rules, all on single MSRs, in descending order. */
static void full_policy(void **state)
{
	for (uint32_t i = 0; i < POLICY_MAX_RULES; i++)
		add_deny(policy, 0xc0012fff - i, 1, ACCESS_READ, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	for (uint32_t i = 0; i < POLICY_MAX_RULES; i++)
		assert_int_equal(policy->rules[i].index,
				 0xc0013000 - POLICY_MAX_RULES + i);
}

static void rule_on(void **state)
{
	add_deny(policy, 0x100, 0x10, ACCESS_READ, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_EFER, 1, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1, REGPIN_GP);
	assert_ptr_equal(policy_rule_on(policy, REGPIN_MSR, 0x10f, ACCESS_READ),
			 &policy->rules[0]);
	assert_null(policy_rule_on(policy, REGPIN_MSR, 0x10f, ACCESS_WRITE));
	assert_null(policy_rule_on(policy, REGPIN_MSR, 0x110, ACCESS_READ));
	assert_null(policy_rule_on(policy, REGPIN_MSR, 0xff, ACCESS_READ));
	assert_null(policy_rule_on(policy, REGPIN_MSR, 0, ACCESS_WRITE));
	assert_ptr_equal(policy_rule_on(policy, REGPIN_CR0, 0,
					ACCESS_READ | ACCESS_WRITE),
			 &policy->rules[2]);
	assert_null(policy_rule_on(policy, REGPIN_MSR, MSR_EFER, ACCESS_READ));
}

static void problems_are_bounded(void **state)
{
	for (unsigned int i = 0; i < MAX_PROBLEMS; i++)
		problem_warning(problems, i + 1, 1, "warning %u", i);
	assert_false(problems->overflow);
	problem_error(problems, 7, 7, "an error");
	assert_true(problems->overflow);
	assert_int_equal(problems->errors, 1);
	assert_int_equal(problems->nr, MAX_PROBLEMS);
	assert_string_equal(problems->list[MAX_PROBLEMS - 1].text, "an error");
	assert_string_equal(problems->list[MAX_PROBLEMS - 2].text,
			    "warning 98");
	problem_warning(problems, 8, 8, "one more");
	assert_string_equal(problems->list[MAX_PROBLEMS - 1].text, "an error");
	for (unsigned int i = 0; i < 2 * MAX_PROBLEMS; i++)
		problem_error(problems, 9, 9, "error %u", i);
	assert_int_equal(problems->errors, 2 * MAX_PROBLEMS + 1);
	assert_false(problems->list[0].warning);
}

static void problems_are_clean(void **state)
{
	const size_t room = sizeof(problems->list[0].text);
	char text[2 * sizeof(problems->list[0].text)];

	problem_error(problems, 1, 1, "a\x1b[31m\n\tb\x7f");
	assert_string_equal(problems->list[0].text, "a?[31m??b?");
	/* If the cut is within a character, the whole character is removed. */
	memset(text, 'x', sizeof(text));
	memcpy(text + room - 2, "\xe2\x80\xa6", 3);
	text[sizeof(text) - 1] = 0;
	problem_error(problems, 1, 1, "%s", text);
	assert_int_equal(strlen(problems->list[1].text), room - 2);
}

static void names(void **state)
{
	assert_string_equal(rule_type_names[RULE_STICKY], "sticky");
	assert_string_equal(rule_type_names[RULE_DENY], "deny");
	assert_string_equal(regpin_action_names[REGPIN_GP], "gp");
	assert_string_equal(regpin_kind_names[REGPIN_XCR0], "XCR0");
	for (int i = 0; i < RULE_TYPE_MAX; i++)
		assert_non_null(rule_type_names[i]);
	for (int i = 0; i < REGPIN_ACTION_MAX; i++)
		assert_non_null(regpin_action_names[i]);
	for (int i = 0; i < REGPIN_KIND_MAX; i++)
		assert_non_null(regpin_kind_names[i]);
}

/* Which policies protect something that SMM and the like could bypass. */
static void only_reports(void **state)
{
	assert_true(policy_only_reports(policy));
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_REPORT);
	add_deny(policy, MSR_STAR, 1, ACCESS_WRITE, REGPIN_REPORT);
	add_report(policy, REGPIN_MSR, MSR_LSTAR, ACCESS_WRITE);
	add_wide(policy, RULE_UNKNOWN, REGPIN_DROP, RULE_ANSWERS, 7);
	add_wide(policy, RULE_INVALID, REGPIN_DROP, 0, 0);
	add_allow(policy, 0x8b, 1, ACCESS_READ);
	policy->settings.deadline_action = REGPIN_REPORT;
	assert_true(policy_only_reports(policy));
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t nr = policy->nr_rules;

		if (i == 0)
			add_pin(policy, RULE_UNIFORM, MSR_CSTAR, ALL, REGPIN_MASK);
		else if (i == 1)
			add_deny(policy, 0x17, 1, ACCESS_READ, REGPIN_DROP);
		else if (i == 2)
			add_answer(policy, 0x17, 1);
		else
			add_default(policy, ACCESS_READ, REGPIN_GP);
		assert_false(policy_only_reports(policy));
		policy->nr_rules = nr;
	}
}

/* The settings outside of the rules hold a vCPU, stop the VM, or only report. */
static void settings_act(void **state)
{
	struct settings *settings = &policy->settings;

	/* The floor is about vCPUs without pins, and this policy has no pins. */
	add_deny(policy, MSR_STAR, 1, ACCESS_WRITE, REGPIN_REPORT);
	assert_int_equal(settings->deadline_action, REGPIN_PAUSE);
	assert_true(policy_only_reports(policy));
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_REPORT);
	assert_true(policy_rules_only_report(policy));
	for (unsigned int action = REGPIN_REPORT; action <= REGPIN_STOP; action++) {
		bool acts = action > REGPIN_REPORT;

		settings->deadline_action = (uint8_t)action;
		assert_int_equal(policy_settings_act(policy), acts);
		assert_int_equal(policy_only_reports(policy), !acts);
		/*
		 * A vCPU that is armed at the start still meets the deadline if it has
		 * no set-up.
		 */
		policy->arming = ARM_START;
		assert_int_equal(policy_only_reports(policy), !acts);
		policy->arming = ARM_OPERATOR;
		assert_int_equal(policy_only_reports(policy), !acts);
		settings->deadline_ms = 0;
		assert_true(policy_only_reports(policy));
		settings->deadline_ms = 2000;
	}
	settings->deadline_action = REGPIN_REPORT;
	for (unsigned int action = REGPIN_ALLOW; action <= REGPIN_STOP; action++) {
		settings->init_action = (uint8_t)action;
		assert_int_equal(policy_only_reports(policy),
				 action <= REGPIN_REPORT);
	}
	settings->init_action = REGPIN_ALLOW;
	/*
	 * The reaction replaces a rule's own action, and these rules have none to replace.
	 */
	settings->detect_action = REGPIN_STOP;
	settings->request_msr = 0x4b4d5300;
	assert_true(policy_only_reports(policy));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_pair), TEST(only_reports),
		TEST(settings_act),
		TEST(value_and_deny_read),
		TEST(overlapping_denials),
		TEST(overlap_at_a_distance),
		TEST(nested_and_never),
		TEST(optional_control_register),
		TEST(hot_bits),
		TEST(hot_bits_held),
		TEST(ranges_elsewhere),
		TEST(sorted),
		TEST(too_many_rules),
		TEST(full_policy),
		TEST(rule_on),
		TEST(problems_are_bounded),
		TEST(problems_are_clean),
		TEST(names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
