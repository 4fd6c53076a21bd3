// SPDX-License-Identifier: GPL-2.0-only
/* The mode of a policy, and its effect on the rules. */
#include <stdio.h>
#include <string.h>

#include "policy_mode.h"

const char *const policy_mode_names[MODE_MAX] = {
	[MODE_POLICY] = "policy",
	[MODE_ENFORCE] = "enforce",
	[MODE_REPORT] = "report",
};

enum policy_mode policy_mode_find(const char *name)
{
	int mode = 0;

	while (mode < MODE_MAX && strcmp(name, policy_mode_names[mode]) != 0)
		mode++;
	return (enum policy_mode)mode;
}

bool policy_all_report(const struct regpin_policy *policy)
{
	unsigned int nr = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->type == RULE_ALLOW || rule->type == RULE_VALUE)
			continue;
		if (rule->action != REGPIN_REPORT)
			return false;
		nr++;
	}
	return nr;
}

enum policy_mode policy_effective(const struct regpin_policy *policy,
				  enum policy_mode own, enum policy_mode mode)
{
	if (mode == MODE_POLICY)
		mode = own;
	/* Settings that hold a vCPU or stop the VM do more than report. */
	if (mode == MODE_ENFORCE && policy_all_report(policy) &&
	    !policy_settings_act(policy))
		mode = MODE_REPORT;
	return mode;
}

const char *policy_mode_text(char *buf, size_t size,
			     const struct regpin_policy *policy,
			     enum policy_mode own, enum policy_mode mode)
{
	enum policy_mode effective = policy_effective(policy, own, mode);
	const char *name = policy_mode_names[effective];

	if (mode == MODE_POLICY)
		snprintf(buf, size, "mode %s", name);
	else if (mode == own)
		snprintf(buf, size, "mode %s by the operator", name);
	else
		snprintf(buf, size, "mode %s by the operator (the policy says %s)",
			 name, policy_mode_names[own]);
	return buf;
}
