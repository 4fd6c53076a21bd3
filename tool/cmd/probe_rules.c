// SPDX-License-Identifier: GPL-2.0-only
/* The part of `regpin probe` about each rule of a policy. */
#include <stdio.h>
#include <stdlib.h>

#include "base/printable.h"
#include "event/event_names.h"
#include "policy/effective.h"
#include "policy/policy_fit.h"
#include "policy/unfit_json.h"
#include "probe_ask.h"
#include "probe_rules.h"

/* The rules in the order in which they were written. */
static const struct rule *ordered[POLICY_MAX_RULES];

static int compare_places(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a;
	const struct rule *y = *(const struct rule *const *)b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	/* Several registers of one rule keep their order in the policy's array. */
	return (x > y) - (x < y);
}

static void order(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		ordered[i] = &policy->rules[i];
	qsort(ordered, policy->nr_rules, sizeof(const struct rule *), compare_places);
}

/* Reasons, to which rules refer by number, because many rules have the same reason. */
static const char *reasons[16];
static unsigned int nr_reasons;

static unsigned int reason_number(const char *why)
{
	unsigned int i = 0;

	while (i < nr_reasons && reasons[i] != why)
		i++;
	if (i == nr_reasons && i < sizeof(reasons) / sizeof(reasons[0]))
		reasons[nr_reasons++] = why;
	return i + 1;
}

/**
 * struct probed_rule - a rule on a host
 * @is: its effective mode, if it is not @refused
 * @refused: it is not optional, and the host can't enforce it
 * @why: why the host can't enforce it, or NULL
 */
struct probed_rule {
	struct effective is;
	bool refused;
	const char *why;
};

static struct probed_rule probe_rule(const struct host *host,
				     const struct regpin_policy *policy,
				     const struct rule *rule)
{
	struct probed_rule probed = { .why = NULL };
	enum fitted fitted = FIT_DETECTED;
	struct rule copy = *rule;
	bool enforced = host_enforces(host, rule, &probed.why);

	if (!enforced)
		fitted = probe_fitted(host, policy, rule);
	else
		probed.why = NULL;
	if (!enforced && fitted == FIT_DETECTED)
		copy.flags |= RULE_DETECT;
	probed.refused = !enforced && fitted == FIT_REFUSED;
	probed.is = effective_of(&copy, !enforced && fitted != FIT_DETECTED,
				 MODE_ENFORCE, MODE_POLICY);
	return probed;
}

/* A refused rule is in none of the numbers but the first. */
static void add_to_tally(struct policy_tally *tally, const struct probed_rule *probed,
			 const struct rule *rule)
{
	enum effective_mode is = probed->is.mode;

	if (rule->type == RULE_ALLOW)
		return;
	tally->rules++;
	tally->enforced += !probed->refused && is == EFFECTIVE_ENFORCED;
	tally->detected += !probed->refused && is == EFFECTIVE_DETECTED;
	tally->report += !probed->refused && is == EFFECTIVE_REPORTED;
	tally->left_out += !probed->refused && is == EFFECTIVE_LEFT_OUT;
}

static void print_rule(const struct host *host, const struct regpin_policy *policy,
		       const struct rule *rule, struct policy_tally *tally)
{
	char subject[REGISTER_NAME_MAX], text[FIT_TEXT], place[PLACE_MAX];
	struct probed_rule probed = probe_rule(host, policy, rule);
	const char *why = probed.why;

	add_to_tally(tally, &probed, rule);
	printf("%s: %s on %s: ", policy_place(place, policy, rule->line, rule->column),
	       rule_type_names[rule->type], event_rule_subject(subject, rule));
	if (!why) {
		effective_why(text, sizeof(text), probed.is, NULL);
		printf("%s%s%s%s\n", effective_name(probed.is.mode), *text ? " (" : "", text,
		       *text ? ")" : "");
		return;
	}
	printf("NOT enforced [%u]\n", reason_number(why));
	print_wrapped("    ", fit_text(text, policy,
				       probe_fitted(host, policy, rule), rule));
}

void probe_print_rules(const struct host *host, const struct regpin_policy *policy)
{
	struct policy_tally tally = { .rules = 0 };
	char number[24], numbers[128];

	order(policy);
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		print_rule(host, policy, ordered[i], &tally);
	for (unsigned int i = 0; i < nr_reasons; i++) {
		snprintf(number, sizeof(number), "[%u] ", i + 1);
		print_wrapped(number, reasons[i]);
	}
	puts(policy_tally_text(numbers, sizeof(numbers), &tally));
}

static void json_rule(struct json *json, const struct host *host,
		      const struct regpin_policy *policy, const struct rule *rule,
		      struct policy_tally *tally)
{
	struct probed_rule probed = probe_rule(host, policy, rule);
	char why[FIT_TEXT];

	add_to_tally(tally, &probed, rule);
	json_object_begin(json, NULL);
	json_bool(json, "optional", rule->flags & RULE_OPTIONAL);
	json_bool(json, "enforced", !probed.why);
	json_string(json, "effective", probed.refused ? "refused" :
		    effective_words[probed.is.mode]);
	json_string(json, "decided_by", effective_by_words[probed.is.by]);
	if (probed.why) {
		json_unfit(json, policy, probe_fitted(host, policy, rule), rule,
			   probed.why);
	} else {
		json_rule_place(json, policy, rule);
		if (*effective_why(why, sizeof(why), probed.is, NULL))
			json_string(json, "why", why);
	}
	json_object_end(json);
}

void probe_json_rules(struct json *json, const struct host *host,
		      const struct regpin_policy *policy)
{
	struct policy_tally tally = { .rules = 0 };

	order(policy);
	json_array_begin(json, "policy_rules");
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		json_rule(json, host, policy, ordered[i], &tally);
	json_array_end(json);
	json_u64(json, "rules_enforced", tally.enforced);
	json_u64(json, "rules_detected", tally.detected);
	json_u64(json, "rules_report", tally.report);
	json_u64(json, "rules_left_out", tally.left_out);
}
