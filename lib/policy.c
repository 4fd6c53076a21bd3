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
	return 0;
}

const struct rule *policy_rule_on(const struct regpin_policy *policy,
				  unsigned int kind, uint32_t index,
				  unsigned int access)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->access & access) && rule_covers(rule, kind, index))
			return rule;
	}
	return NULL;
}
