// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event_names.h"
#include "unfit.h"

void unfits_add(void *context, enum fitted fitted, const struct rule *rule,
		const char *why)
{
	struct unfits *unfits = context;

	if (unfits->nr < POLICY_MAX_RULES)
		unfits->list[unfits->nr++] = (struct unfit){
			.rule = *rule, .why = why, .fitted = fitted,
		};
}

/* Is the text about both rules the same? See fit_text(). */
static bool is_alike(const struct unfit *a, const struct unfit *b)
{
	if (a->fitted != b->fitted || strcmp(a->why, b->why) != 0)
		return false;
	return a->fitted != FIT_DETECTED ||
	       (a->rule.action == b->rule.action &&
		(a->rule.type == RULE_REQUIRE) ==
			(b->rule.type == RULE_REQUIRE));
}

static bool is_named(const struct unfits *unfits, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_alike(&unfits->list[i], &unfits->list[n]))
			return true;
	return false;
}

/* The text for all rules after @n that are alike; NULL if there is no memory. */
static char *others_of(const struct unfits *unfits, uint32_t n,
		       const struct regpin_policy *policy)
{
	const char *before = "; the same holds for ";
	char subject[REGISTER_NAME_MAX], place[PLACE_MAX], *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	for (uint32_t i = n + 1; i < unfits->nr; i++) {
		const struct rule *rule = &unfits->list[i].rule;

		if (!is_alike(&unfits->list[n], &unfits->list[i]))
			continue;
		fprintf(file, "%s'%s' on %s (%s)", before,
			rule_type_names[rule->type],
			event_rule_subject(subject, rule),
			policy_near_place(place, policy, unfits->list[n].rule.line,
					  rule->line, rule->column));
		before = ", ";
	}
	fclose(file);
	return text;
}

void unfits_print(const struct unfits *unfits,
		  const struct regpin_policy *policy, unfit_line *line,
		  void *context)
{
	char subject[REGISTER_NAME_MAX], how[FIT_TEXT], text[FIT_TEXT + 128];

	for (uint32_t i = 0; i < unfits->nr; i++) {
		const struct unfit *unfit = &unfits->list[i];
		char *others;

		/* There are few different texts, so this is fast enough. */
		if (is_named(unfits, i))
			continue;
		others = others_of(unfits, i, policy);
		snprintf(text, sizeof(text), "'%s' on %s %s",
			 rule_type_names[unfit->rule.type],
			 event_rule_subject(subject, &unfit->rule),
			 fit_text(how, policy, unfit->fitted, &unfit->rule));
		line(context, unfit, text, others ? others : "");
		free(others);
	}
}
