// SPDX-License-Identifier: LGPL-2.1-or-later
/* The policy in memory, and the list of what is wrong with it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
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
	[RULE_REPORT] = "report",
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

const char *policy_file_name(const struct regpin_policy *policy, uint32_t line)
{
	uint32_t text = PLACE_TEXT(line);

	return text && text <= POLICY_MAX_BASES ? policy->bases[text - 1] :
						  policy->source;
}

const char *policy_place(char to[PLACE_MAX], const struct regpin_policy *policy,
			 uint32_t line, uint32_t column)
{
	snprintf(to, PLACE_MAX, "%s:%u:%u", policy_file_name(policy, line),
		 PLACE_LINE(line), column);
	return to;
}

const char *policy_near_place(char to[PLACE_MAX],
			      const struct regpin_policy *policy, uint32_t near,
			      uint32_t line, uint32_t column)
{
	if (PLACE_TEXT(line) != PLACE_TEXT(near))
		return policy_place(to, policy, line, column);
	snprintf(to, PLACE_MAX, "%u:%u", PLACE_LINE(line), column);
	return to;
}

struct problems *problems_new(void)
{
	return calloc(1, sizeof(struct problems));
}

void problems_free(struct problems *problems)
{
	free(problems);
}

/*
 * Replaces control characters in @text, which may go to a terminal. If @cut, removes an
 * incomplete UTF-8 character from its end.
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
		/* The list stays in the order in which the problems were found. */
		memmove(problem, problem + 1,
			(MAX_PROBLEMS - i) * sizeof(*problem));
		return &problems->list[MAX_PROBLEMS - 1];
	}
	return NULL;
}

/*
 * Is the same problem in the list already? A `when` with several vendors makes one rule
 * for each of them, and all of them have the same problems.
 */
static bool problem_known(const struct problems *problems,
			  const struct problem *new)
{
	for (unsigned int i = 0; i < problems->nr; i++) {
		const struct problem *old = &problems->list[i];

		if (old->line == new->line && old->column == new->column &&
		    old->warning == new->warning &&
		    !strcmp(old->text, new->text))
			return true;
	}
	return false;
}

void problem_add(struct problems *problems, bool warning, uint32_t line,
		 uint32_t column, const char *format, ...)
{
	struct problem new = { line, column, warning, "" }, *problem;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(new.text, sizeof(new.text), format, args);
	va_end(args);
	text_clean(new.text, len >= (int)sizeof(new.text));
	if (problem_known(problems, &new))
		return;
	if (!warning)
		problems->errors++;
	problem = problem_room(problems, warning);
	if (problem)
		*problem = new;
}

void problem_no_memory(struct problems *problems)
{
	problem_error(problems, 0, 0, "there is not enough memory");
	problems->no_memory = true;
}

int policy_add(struct regpin_policy *policy, const struct rule *rule)
{
	if (policy->nr_rules >= POLICY_MAX_RULES)
		return -E2BIG;
	policy->rules[policy->nr_rules++] = *rule;
	policy->sorted = false;
	return 0;
}

void policy_copy(struct regpin_policy *to, const struct regpin_policy *from)
{
	memcpy(to, from, offsetof(struct regpin_policy, reach));
	memcpy(to->rules, from->rules, from->nr_rules * sizeof(*to->rules));
	if (!from->sorted)
		return;
	memcpy(to->reach, from->reach,
	       2ul * from->reach_half * sizeof(*to->reach));
	memcpy(to->pins, from->pins, from->nr_rules * sizeof(*to->pins));
	if (from->kinds[REGPIN_MSR + 1] <= POLICY_FEW_RULES)
		memcpy(to->slots, from->slots, sizeof(to->slots));
}

bool policy_rules_only_report(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->action != REGPIN_REPORT && rule->type != RULE_ALLOW &&
		    rule->type != RULE_UNKNOWN && rule->type != RULE_INVALID)
			return false;
	}
	return true;
}

bool policy_has_pins(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (rule_is_pin(&policy->rules[i]))
			return true;
	return false;
}

bool policy_settings_act(const struct regpin_policy *policy)
{
	const struct settings *settings = &policy->settings;

	if (!action_lets_pass(settings->init_action))
		return true;
	return settings->deadline_ms &&
	       !action_lets_pass(settings->deadline_action) &&
	       policy_has_pins(policy);
}

bool policy_only_reports(const struct regpin_policy *policy)
{
	return policy_rules_only_report(policy) &&
	       !policy_settings_act(policy);
}

const struct rule *policy_wide(const struct regpin_policy *policy,
			       enum rule_type type)
{
	if (!policy_may_be_wide(policy))
		return NULL;
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
		if (rule_is_after(policy, rule, index))
			break;
	}
	return NULL;
}
