// SPDX-License-Identifier: GPL-2.0-only
/* `rules`: in text the first line has the titles of the columns; in JSON each line is a rule. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent_state.h"
#include "base/proc.h"
#include "ctl_rules.h"
#include "event/bit_names.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "launch_state.h"
#include "policy/effective.h"
#include "policy/policy_diff_text.h"
#include "policy/policy_when.h"
#include "rule_counts.h"

#define WHY_MAX		512
#define WORDS_MAX	(256 + WHEN_TEXT)

static struct effective effective_row(const struct launch *launch,
				      const struct rule_row *row)
{
	return effective_of(&row->rule, row->left_out, launch->written.own, launch->mode);
}

/* The width of a column of places: that of the longest file's name, and "1234:12". */
static int place_width(const struct regpin_policy *policy)
{
	size_t max = strlen(policy->source);

	for (unsigned int i = 0; i < POLICY_MAX_BASES; i++)
		if (strlen(policy->bases[i]) > max)
			max = strlen(policy->bases[i]);
	return (int)max + 8;
}

/* The guests for which the rule holds; "" for all. Each VM decides whether it is one of them. */
static const char *guests_of(char buf[WHEN_TEXT], const struct launch *launch,
			     const struct rule *rule)
{
	static const struct when none;

	return when_text(buf, rule->when ? &launch->policy.whens[rule->when - 1] : &none);
}

/* "sticky on CR4 (SMEP SMAP)", "default", .. */
static void rule_words(char *buf, size_t size, const struct rule *rule)
{
	char subject[REGISTER_NAME_MAX], bits[128];
	const char *type = rule_type_names[rule->type];

	if (!rule->count) {
		snprintf(buf, size, "%s", type);
		return;
	}
	event_rule_subject(subject, rule);
	if (!rule_type_is_on_bits(rule->type) || rule->mask == UINT64_MAX)
		snprintf(buf, size, "%s on %s", type, subject);
	else
		snprintf(buf, size, "%s on %s (%s)", type, subject,
			 register_bits_text(bits, sizeof(bits), rule->kind, rule->index,
					    rule->mask));
}

static enum status_line text_line(const struct ctl *ctl, uint32_t n, char *buf)
{
	const struct launch *launch = ctl->agent->launch;
	const struct rule_row *row = &launch->table.rows[n];
	const struct rule_count *count = rule_counts_of(ctl->agent, n);
	struct effective is = effective_row(launch, row);
	char place[PLACE_MAX], words[WORDS_MAX], last[EVENT_TIME_MAX] = "-";
	char why[WHY_MAX], when[WHEN_TEXT];
	size_t len;

	rule_words(words, sizeof(words), &row->rule);
	len = strlen(words);
	if (*guests_of(when, launch, &row->rule))
		snprintf(words + len, sizeof(words) - len, " (when %s)", when);
	if (count->last)
		event_time(last, count->last);
	effective_why(why, sizeof(why), is, row->why);
	snprintf(buf, EVENT_LINE_MAX, "%-*s %-9s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-30s %s%s%s",
		 place_width(&launch->policy),
		 policy_place(place, &launch->policy, row->rule.line, row->rule.column),
		 effective_name(is.mode), count->stopped, count->passed,
		 count->detected, last, words, *why ? ": " : "", why);
	make_printable(buf);
	return STATUS_LINE;
}

static void put_bits(struct json *json, const struct rule *rule)
{
	if (rule_type_is_on_bits(rule->type) && rule->mask != UINT64_MAX)
		json_bit_names(json, "bits", rule->kind, rule->index, rule->mask);
}

static enum status_line json_line(const struct ctl *ctl, uint32_t n, char *buf)
{
	const struct launch *launch = ctl->agent->launch;
	const struct rule_row *row = &launch->table.rows[n];
	const struct rule_count *count = rule_counts_of(ctl->agent, n);
	struct effective is = effective_row(launch, row);
	enum policy_mode mode = rule_modes_find(&launch->rule_modes, row->rule.line,
						row->rule.column);
	char subject[REGISTER_NAME_MAX], last[EVENT_TIME_MAX], why[WHY_MAX];
	char when[WHEN_TEXT];
	struct json json;

	status_begin(buf, &json);
	event_put_rule(&json, &launch->policy, &row->rule);
	json_string(&json, "register", event_rule_subject(subject, &row->rule));
	put_bits(&json, &row->rule);
	if (*guests_of(when, launch, &row->rule))
		json_string(&json, "when", when);
	json_string(&json, "rule_action", regpin_action_names[row->rule.action]);
	json_string(&json, "effective", effective_words[is.mode]);
	json_string(&json, "decided_by", effective_by_words[is.by]);
	if (*effective_why(why, sizeof(why), is, row->why))
		json_string(&json, "why", why);
	if (mode != MODE_POLICY)
		json_string(&json, "operator_mode", policy_mode_names[mode]);
	json_u64(&json, "violations_stopped", count->stopped);
	json_u64(&json, "violations_passed", count->passed);
	json_u64(&json, "violations_detected", count->detected);
	if (count->last)
		json_string(&json, "last", event_time(last, count->last));
	return status_end(&json, buf);
}

enum status_line ctl_rules_line(const struct ctl *ctl, uint64_t n,
				enum status_format format, char *buf)
{
	bool json = format == STATUS_JSON;

	if (!json && !n) {
		snprintf(buf, EVENT_LINE_MAX, "%-*s %-9s %8s %8s %8s %-30s %s",
			 place_width(&ctl->agent->launch->policy), "WHERE", "MODE", "STOPPED", "PASSED", "DETECTED", "LAST", "RULE");
		return STATUS_LINE;
	}
	n -= !json;
	if (n >= ctl->agent->launch->table.nr)
		return STATUS_END;
	return json ? json_line(ctl, (uint32_t)n, buf) : text_line(ctl, (uint32_t)n, buf);
}
