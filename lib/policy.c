// SPDX-License-Identifier: LGPL-2.1-or-later
/* The policy in memory, and the list of what is wrong with it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

const char *const rule_type_names[RULE_TYPE_MAX] = {
	[RULE_STICKY] = "sticky",
	[RULE_NEVER] = "never",
	[RULE_FROZEN] = "frozen",
	[RULE_REQUIRE] = "require",
	[RULE_ONCE] = "once",
	[RULE_UNIFORM] = "uniform",
	[RULE_DENY] = "deny",
	[RULE_VALUE] = "value",
	[RULE_ALLOW] = "allow",
	[RULE_DEFAULT] = "default",
	[RULE_UNKNOWN] = "unknown",
	[RULE_INVALID] = "invalid",
};

const char *const regpin_action_names[REGPIN_ACTION_MAX] = {
	[REGPIN_ALLOW] = "allow",
	[REGPIN_REPORT] = "report",
	[REGPIN_MASK] = "mask",
	[REGPIN_DROP] = "drop",
	[REGPIN_GP] = "gp",
	[REGPIN_PAUSE] = "pause",
	[REGPIN_STOP] = "stop",
};

const char *const regpin_kind_names[REGPIN_KIND_MAX] = {
	[REGPIN_MSR] = "MSR",
	[REGPIN_CR0] = "CR0",
	[REGPIN_CR4] = "CR4",
	[REGPIN_XCR0] = "XCR0",
};

struct problems *problems_new(void)
{
	return calloc(1, sizeof(struct problems));
}

void problems_free(struct problems *problems)
{
	free(problems);
}

/*
 * Makes @text harmless on a terminal, and whole again where it was cut within
 * a character.
 */
static void text_clean(char *text, bool cut)
{
	size_t len = strlen(text);

	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (!cut)
		return;
	while (len && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len && (unsigned char)text[len - 1] >= 0xc0)
		len--;
	text[len] = 0;
}

/*
 * Room for another problem, or NULL. An error takes a warning's place: warnings
 * must not hide why a policy is rejected.
 */
static struct problem *problem_room(struct problems *problems, bool warning)
{
	if (problems->nr < MAX_PROBLEMS)
		return &problems->list[problems->nr++];
	problems->overflow = true;
	for (unsigned int i = MAX_PROBLEMS; !warning && i; i--) {
		struct problem *problem = &problems->list[i - 1];

		if (!problem->warning)
			continue;
		/* The order in which they were found is kept. */
		memmove(problem, problem + 1,
			(MAX_PROBLEMS - i) * sizeof(*problem));
		return &problems->list[MAX_PROBLEMS - 1];
	}
	return NULL;
}

void problem_add(struct problems *problems, bool warning, uint32_t line,
		 uint32_t column, const char *format, ...)
{
	struct problem *problem;
	va_list args;
	int len;

	if (!warning)
		problems->errors++;
	problem = problem_room(problems, warning);
	if (!problem)
		return;
	problem->line = line;
	problem->column = column;
	problem->warning = warning;
	va_start(args, format);
	len = vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	text_clean(problem->text, len >= (int)sizeof(problem->text));
}

int policy_add(struct regpin_policy *policy, const struct rule *rule)
{
	if (policy->nr_rules >= POLICY_MAX_RULES)
		return -E2BIG;
	policy->rules[policy->nr_rules++] = *rule;
	policy->sorted = false;
	return 0;
}

/* The number of rules before the first one on @kind, @index or behind it. */
static uint32_t lower_bound(const struct regpin_policy *policy,
			    unsigned int kind, uint32_t index)
{
	uint32_t low = 0, high = policy->nr_rules;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const struct rule *rule = &policy->rules[middle];

		if (!rule_is_wide(rule) &&
		    (rule->kind < kind ||
		     (rule->kind == kind && rule->index < index)))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct rule_range policy_range(const struct regpin_policy *policy,
			       unsigned int kind, uint32_t index)
{
	/* A range of MSRs that begins before it may hold it. */
	uint32_t before = policy->widest > 1 ? policy->widest - 1 : 0;
	struct rule_range range = { 0, policy->nr_rules };

	if (!policy->sorted)
		return range;
	range.first = lower_bound(policy, kind,
				  index > before ? index - before : 0);
	for (range.end = range.first; range.end < policy->nr_rules;
	     range.end++) {
		const struct rule *rule = &policy->rules[range.end];

		if (rule->kind != kind || rule->index > index ||
		    rule_is_wide(rule))
			break;
	}
	return range;
}

const struct rule *policy_wide(const struct regpin_policy *policy,
			       enum rule_type type)
{
	for (uint32_t i = policy->nr_rules; i; i--) {
		const struct rule *rule = &policy->rules[i - 1];

		if (rule->type == type)
			return rule;
		if (policy->sorted && !rule_is_wide(rule))
			break;
	}
	return NULL;
}

const struct rule *policy_rule_on(const struct regpin_policy *policy,
				  unsigned int kind, uint32_t index,
				  unsigned int access)
{
	struct rule_range range = policy_range(policy, kind, index);

	for (uint32_t i = range.first; i < range.end; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->access & access) && rule_covers(rule, kind, index))
			return rule;
	}
	return NULL;
}
