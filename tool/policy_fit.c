// SPDX-License-Identifier: GPL-2.0-only
/* A policy made fit for a host, or for being watched only. */
#include "policy_fit.h"
#include "policy_settings.h"

bool fit_detects(const struct regpin_policy *policy, const struct host *host,
		 const struct rule *rule)
{
	return !host->kvm_errno && policy->settings.detect_ms &&
	       rule->flags & RULE_OPTIONAL && rule->kind != REGPIN_MSR;
}

unsigned int policy_fit(struct regpin_policy *policy, const struct host *host,
			fit_tell *tell, void *context)
{
	unsigned int refused = 0;
	const char *why = NULL;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		struct rule rule = policy->rules[i];

		if (host_enforces(host, &rule, &why)) {
			policy->rules[kept++] = rule;
		} else if (fit_detects(policy, host, &rule)) {
			rule.flags |= RULE_DETECT;
			policy->rules[kept++] = rule;
			tell(context, FIT_DETECTED, &rule, why);
		} else if (rule.flags & RULE_OPTIONAL) {
			tell(context, FIT_LEFT_OUT, &rule, why);
		} else {
			tell(context, FIT_REFUSED, &rule, why);
			refused++;
		}
	}
	policy->nr_rules = kept;
	policy_sort(policy);
	return refused;
}

const char *policy_fit_init(struct regpin_policy *policy,
			    const struct host *host)
{
	if (policy->settings.init_action == REGPIN_ALLOW || host->cr_filter)
		return NULL;
	policy->settings.init_action = REGPIN_ALLOW;
	return "this KVM has no CR filter, so nobody is told of an INIT (regpin's KVM series adds one)";
}

unsigned int policy_all_report(struct regpin_policy *policy,
			       struct problems *problems)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		struct rule *rule = &policy->rules[i];

		if (rule->type == RULE_VALUE || rule->type == RULE_ALLOW)
			continue;
		rule->action = REGPIN_REPORT;
		rule->flags &= (uint16_t)~RULE_ANSWERS;
		if (rule_is_wide(rule))
			rule->value = 0;
	}
	settings_report_only(&policy->settings);
	return policy_check(policy, problems);
}
