// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rule's own action counts before the modes, because no mode replaces it. Of the modes the
 * narrower one counts: the operator's for this rule, the rule's own, the operator's for the
 * policy, the policy's own.
 */
#include <stdio.h>

#include "effective.h"
#include "lib/policy/rule_notes.h"

const char *const effective_words[EFFECTIVE_MAX] = {
	[EFFECTIVE_ENFORCED] = "enforced",
	[EFFECTIVE_DETECTED] = "detected",
	[EFFECTIVE_REPORTED] = "reported",
	[EFFECTIVE_LEFT_OUT] = "left_out",
};

const char *const effective_by_words[BY_MAX] = {
	[BY_POLICY] = "policy",
	[BY_ACTION] = "action",
	[BY_RULE] = "rule",
	[BY_OPERATOR] = "operator",
	[BY_OPERATOR_RULE] = "operator-rule",
	[BY_HOST] = "host",
};

const char *effective_name(enum effective_mode mode)
{
	return mode == EFFECTIVE_LEFT_OUT ? "left out" : effective_words[mode];
}

/* Why does a rule only report? */
static enum effective_by reported_by(const struct rule *rule,
				     enum policy_mode mode)
{
	return rule->flags & RULE_BY_ACTION ? BY_ACTION :
	       rule->flags & RULE_BY_OPERATOR ? BY_OPERATOR_RULE :
	       rule->flags & RULE_BY_MODE ? BY_RULE :
	       mode == MODE_REPORT ? BY_OPERATOR : BY_POLICY;
}

struct effective effective_of(const struct rule *rule, bool left_out,
			      enum policy_mode own, enum policy_mode mode)
{
	if (left_out)
		return (struct effective){ EFFECTIVE_LEFT_OUT, BY_HOST };
	if (rule->action == REGPIN_REPORT)
		return (struct effective){ EFFECTIVE_REPORTED,
					   reported_by(rule, mode) };
	if (rule->flags & RULE_DETECT)
		return (struct effective){ EFFECTIVE_DETECTED, BY_HOST };
	return (struct effective){
		EFFECTIVE_ENFORCED,
		rule->flags & RULE_BY_OPERATOR ? BY_OPERATOR_RULE :
		own == MODE_REPORT && mode == MODE_ENFORCE ? BY_OPERATOR : BY_POLICY,
	};
}

struct policy_tally policy_tally(const struct regpin_policy *policy,
				 unsigned int left_out)
{
	unsigned int nr[EFFECTIVE_MAX] = { [EFFECTIVE_LEFT_OUT] = left_out };

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type != RULE_ALLOW)
			nr[effective_of(&policy->rules[i], false, MODE_ENFORCE,
					MODE_POLICY).mode]++;
	return (struct policy_tally){
		.rules = nr[EFFECTIVE_ENFORCED] + nr[EFFECTIVE_DETECTED] +
			 nr[EFFECTIVE_REPORTED] + left_out,
		.enforced = nr[EFFECTIVE_ENFORCED],
		.detected = nr[EFFECTIVE_DETECTED],
		.report = nr[EFFECTIVE_REPORTED], .left_out = left_out,
	};
}

const char *policy_tally_text(char *buf, size_t size, const struct policy_tally *tally)
{
	snprintf(buf, size, "%u rule%s: %u enforced, %u detected, %u report only, %u left out",
		 tally->rules, tally->rules == 1 ? "" : "s", tally->enforced,
		 tally->detected, tally->report, tally->left_out);
	return buf;
}

const char *effective_why(char *buf, size_t size, struct effective effective,
			  const char *host)
{
	static const char *const texts[BY_MAX] = {
		[BY_POLICY] = "the policy's mode is report",
		[BY_ACTION] = "its action is report",
		[BY_RULE] = "its own mode is report",
		[BY_OPERATOR] = "the operator's mode is report",
		[BY_OPERATOR_RULE] = "the operator's mode of this rule is report",
	};
	bool enforced = effective.mode == EFFECTIVE_ENFORCED;

	if (effective.by == BY_HOST)
		snprintf(buf, size, "%s", host ? host : "this host can't enforce it");
	else if (!enforced)
		snprintf(buf, size, "%s", texts[effective.by]);
	else
		snprintf(buf, size, "%s", effective.by == BY_OPERATOR_RULE ?
			 "the operator's mode of this rule is enforce" :
			 effective.by == BY_OPERATOR ?
			 "the operator's mode is enforce" : "");
	return buf;
}
