// SPDX-License-Identifier: GPL-2.0-only
/* Describes in words how lib/vm/accept.c and s3.c decide. */
#include <stdio.h>

#include "acceptance.h"
#include "lib/policy/policy.h"

#define NR_WORDS	3

static const struct {
	uint32_t word;
	const char *key, *name;
} words[NR_WORDS] = {
	{ POLICY_ACCEPT_NESTED, "nested", "nested virtualisation (SVM or VMX)" },
	{ POLICY_ACCEPT_SMM, "smm", "System-Management Mode" },
	{ POLICY_ACCEPT_S3, "s3", "suspend to RAM (S3)" },
};

static const char *const keys[REFUSED + 1] = {
	[NO_PINS] = "no_pins",
	[ACCEPTED] = "accepted",
	[TOLERATED] = "tolerated",
	[REFUSED] = "refused",
};

static const char *const texts[REFUSED + 1] = {
	[NO_PINS] = "of no concern: it ends pins, and this policy has none",
	[ACCEPTED] = "accepted",
	[TOLERATED] = "tolerated: it runs, with an event, as the policy only reports",
	[REFUSED] = "refused",
};

/* S3 ends pins and with them the floor, and resets vCPUs without an INIT. */
static enum acceptance accepts_s3(const struct regpin_policy *policy)
{
	if (policy_settings_act(policy))
		return REFUSED;
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (rule_is_pin(&policy->rules[i]) &&
		    policy->rules[i].action != REGPIN_REPORT)
			return REFUSED;
	return policy_has_pins(policy) ? TOLERATED : NO_PINS;
}

enum acceptance acceptance(const struct regpin_policy *policy, uint32_t word)
{
	if (policy->flags & word)
		return ACCEPTED;
	if (word == POLICY_ACCEPT_S3)
		return accepts_s3(policy);
	return policy_only_reports(policy) ? TOLERATED : REFUSED;
}

void acceptance_print(const struct regpin_policy *policy, const char *indent)
{
	for (unsigned int i = 0; i < NR_WORDS; i++) {
		enum acceptance found = acceptance(policy, words[i].word);

		printf("%s%s: %s%s\n", indent, words[i].name, texts[found],
		       found == REFUSED && policy_rules_only_report(policy) ?
		       ", as 'init' or 'floor' holds a vCPU or stops the VM" : "");
	}
}

void acceptance_json(struct json *json, const struct regpin_policy *policy)
{
	json_object_begin(json, "past_filters");
	for (unsigned int i = 0; i < NR_WORDS; i++)
		json_string(json, words[i].key,
			    keys[acceptance(policy, words[i].word)]);
	json_object_end(json);
}
