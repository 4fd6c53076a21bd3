// SPDX-License-Identifier: GPL-2.0-only
/* Fits a policy to a host. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/kvm/host.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_sort.h"
#include "policy_fit.h"

bool fit_detects(const struct regpin_policy *policy, const struct host *host,
		 const struct rule *rule)
{
	return !host->kvm_errno && policy->settings.detect_ms &&
	       rule->flags & RULE_OPTIONAL && rule->kind != REGPIN_MSR;
}

const char *fit_reaction(const struct regpin_policy *policy,
			 const struct rule *rule)
{
	unsigned int action = rule->action == REGPIN_REPORT ?
		REGPIN_REPORT : policy->settings.detect_action;

	return action == REGPIN_MASK ? "restore" : regpin_action_names[action];
}

/* `require` is still enforced when a vCPU sets LSTAR, because that is an MSR. */
static void require_text(char to[FIT_TEXT], const struct regpin_policy *policy,
			 const struct rule *rule)
{
	static const char *const done[REGPIN_ACTION_MAX] = {
		[REGPIN_REPORT] = "an event", [REGPIN_GP] = "#GP",
		[REGPIN_PAUSE] = "the vCPU is held",
		[REGPIN_STOP] = "the VM is stopped",
	};

	snprintf(to, FIT_TEXT, "is checked when a vCPU writes LSTAR (%s if a bit is missing), and otherwise only detected by a poll every %" PRIu32 " ms",
		 done[rule->action], policy->settings.detect_ms);
}

const char *fit_text(char to[FIT_TEXT], const struct regpin_policy *policy,
		     enum fitted fitted, const struct rule *rule)
{
	unsigned int reaction = policy->settings.detect_action;
	int used;

	if (fitted != FIT_DETECTED) {
		snprintf(to, FIT_TEXT, fitted == FIT_REFUSED ?
			 "can't be enforced on this KVM" :
			 "is left out, as it can't be enforced on this KVM");
		return to;
	}
	if (rule->type == RULE_REQUIRE) {
		require_text(to, policy, rule);
		return to;
	}
	if (rule->type == RULE_REPORT) {
		snprintf(to, FIT_TEXT, "is only polled, every %" PRIu32 " ms: bits that have changed since the last poll are an event",
			 policy->settings.detect_ms);
		return to;
	}
	used = snprintf(to, FIT_TEXT, "is only polled, every %" PRIu32 " ms: a violation is detected, not stopped",
			policy->settings.detect_ms);
	if (rule->action == REGPIN_REPORT)
		return to;
	if (reaction == REGPIN_REPORT)
		snprintf(to + used, FIT_TEXT - (size_t)used, ", and becomes an event instead of 'action: %s' (%s)",
			 regpin_action_names[rule->action],
			 rule->action == REGPIN_PAUSE ?
			 "'detect: {reaction: pause}' holds the vCPU" :
			 rule->action == REGPIN_STOP ?
			 "'detect: {reaction: stop}' stops the VM" :
			 "'detect: {reaction: restore}' puts the bits back");
	else
		snprintf(to + used, FIT_TEXT - (size_t)used, "; then 'reaction: %s' is done",
			 fit_reaction(policy, rule));
	return to;
}

unsigned int policy_fit(struct regpin_policy *policy, const struct host *host,
			fit_report *report, void *context)
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
			report(context, FIT_DETECTED, &rule, why);
		} else if (rule.flags & RULE_OPTIONAL) {
			report(context, FIT_LEFT_OUT, &rule, why);
		} else {
			report(context, FIT_REFUSED, &rule, why);
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
	return "this KVM has no CR filter, so no INIT is reported (regpin's KVM series adds one)";
}
