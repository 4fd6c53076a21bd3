// SPDX-License-Identifier: GPL-2.0-only
/* A policy made fit for a host. */
#include "policy_fit.h"

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
