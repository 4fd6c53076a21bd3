// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each type of rule makes a difference wherever a policy is described: in diff and in explain.
 * A new type needs an entry here, and fails as long as one of the two does not know it. See
 * docs/internals/adding-a-rule.md.
 */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/explain_writes.h"
#include "lib/kvm/host.h"
#include "lib/policy/registers.h"
#include "policy/policy_diff.h"
#include "policy/policy_text.h"

/**
 * struct entry - a policy with a rule of a type, and the same policy without it
 * @setting: the line that makes a rule on the whole policy
 * @rule: otherwise, the rule
 * @remains: what remains of that rule without the type
 * @both: a line that both policies have
 */
static const struct entry {
	const char *setting, *rule, *remains, *both;
} entries[] = {
	[RULE_STICKY] = { .rule = "register: EFER, sticky: [NXE]" },
	[RULE_NEVER] = { .rule = "register: EFER, never: [SVME]" },
	[RULE_FROZEN] = { .rule = "register: EFER, frozen: [NXE]" },
	[RULE_REQUIRE] = { .rule = "register: EFER, sticky: [SCE], require: [NXE]",
			   .remains = "register: EFER, sticky: [SCE]" },
	[RULE_ONCE] = { .rule = "register: SYSENTER_ESP, once: true" },
	[RULE_UNIFORM] = { .rule = "register: STAR, uniform: true" },
	[RULE_DENY] = { .rule = "register: PAT, deny: write" },
	[RULE_VALUE] = { .rule = "register: 0x8b, value: 7" },
	[RULE_ALLOW] = { .rule = "register: PAT, allow: both", .both = "default: deny" },
	[RULE_REPORT] = { .rule = "register: PAT, report: write" },
	[RULE_DEFAULT] = { .setting = "default: deny" },
	[RULE_UNKNOWN] = { .setting = "unknown: report" },
	[RULE_INVALID] = { .setting = "invalid: report" },
};
_Static_assert(sizeof(entries) / sizeof(entries[0]) == RULE_TYPE_MAX,
	       "the last type has no entry");

/* Reads a policy of these parts, each of which may be NULL, and one more rule. */
static struct regpin_policy *read_policy(const char *both, const char *setting,
					 const char *rule)
{
	struct regpin_policy *policy = calloc(1, sizeof(*policy));
	struct problems *problems = problems_new();
	char text[512];

	assert_non_null(policy);
	assert_non_null(problems);
	snprintf(text, sizeof(text),
		 "version: 1\n%s\n%s\nrules:\n- {register: MISC_ENABLE, deny: write}\n%s%s%s\n",
		 both ? both : "", setting ? setting : "", rule ? "- {" : "",
		 rule ? rule : "", rule ? "}" : "");
	policy_text_read("test.yaml", text, strlen(text), policy, problems);
	for (unsigned int i = 0; i < problems->nr; i++)
		if (!problems->list[i].warning)
			fail_msg("%s: %s", text, problems->list[i].text);
	problems_free(problems);
	return policy;
}

#define IN_BOTH	0x1a0u	/* MISC_ENABLE */

/* The rule of @type that only one of the policies has. */
static const struct rule *rule_of(const struct regpin_policy *policy, unsigned int type)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type == type && policy->rules[i].index != IN_BOTH)
			return &policy->rules[i];
	fail_msg("the policy has no rule %s", rule_type_names[type]);
	return NULL;
}

/* All sentences of explain on @subject, of all phases. */
static char *sentences(const struct regpin_policy *policy, const struct subject *subject)
{
	static struct explain explain;
	static const struct host host = {
		.msr_filter = true, .msr_exits = true, .cr_filter = true,
		.filterable = { ~0ull, ~0ull, ~0ull },
	};
	char *text = calloc(PHASE_MAX + 1, EXPLAIN_TEXT);

	assert_non_null(text);
	assert_int_equal(explain_begin(&explain, policy, &host), 0);
	explain_reads(&explain, subject, text, EXPLAIN_TEXT);
	for (int phase = 0; phase < PHASE_MAX; phase++) {
		size_t len = strlen(text);

		explain_writes(&explain, subject, (enum phase)phase, text + len, EXPLAIN_TEXT);
	}
	return text;
}

static void check_type(unsigned int type)
{
	const struct entry *entry = &entries[type];
	struct regpin_policy *with, *without;
	struct policy_diff diff = { 0 };
	struct subject subject = { REGPIN_MSR, 0x12345, 1 };
	const struct rule *rule;

	if (!entry->rule && !entry->setting)
		fail_msg("%s has no entry", rule_type_names[type]);
	with = read_policy(entry->both, entry->setting, entry->rule);
	without = read_policy(entry->both, NULL, entry->remains);
	rule = rule_of(with, type);
	assert_int_equal(policy_diff(without, with, &diff), 0);
	if (!diff.nr)
		fail_msg("diff shows no difference by a rule %s", rule_type_names[type]);
	if (!rule_is_wide(rule))
		subject = (struct subject){ rule->kind, rule->index, 1 };
	/* Accesses that KVM refuses are described apart from the registers. */
	if (type != RULE_UNKNOWN && type != RULE_INVALID) {
		char *a = sentences(with, &subject), *b = sentences(without, &subject);

		if (!strcmp(a, b))
			fail_msg("explain describes a rule %s as if it were not there: %s",
				 rule_type_names[type], a);
		free(a);
		free(b);
	}
	policy_diff_free(&diff);
	free(with);
	free(without);
}

static void test_each_type(void **state)
{
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++)
		check_type(type);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_type) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
