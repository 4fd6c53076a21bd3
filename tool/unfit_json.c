// SPDX-License-Identifier: GPL-2.0-only
/* A rule that a KVM can't enforce, as members of a JSON object. */
#include <inttypes.h>
#include <stdio.h>

#include "event_json.h"
#include "unfit_json.h"

void json_rule_place(struct json *json, const struct regpin_policy *policy,
		     const struct rule *rule)
{
	char subject[REGISTER_NAME_MAX], where[POLICY_MAX_SOURCE + 32];

	json_string(json, "register", event_rule_subject(subject, rule));
	json_string(json, "rule", rule_type_names[rule->type]);
	snprintf(where, sizeof(where), "%s:%" PRIu32 ":%" PRIu32,
		 policy->source, rule->line, rule->column);
	json_string(json, "where", where);
}

void json_unfit(struct json *json, const struct regpin_policy *policy,
		enum fitted fitted, const struct rule *rule, const char *why)
{
	char text[FIT_TEXT];

	json_rule_place(json, policy, rule);
	json_bool(json, "detected", fitted == FIT_DETECTED);
	json_string(json, "action", regpin_action_names[rule->action]);
	if (fitted == FIT_DETECTED) {
		json_u64(json, "every_ms", policy->settings.detect_ms);
		json_string(json, "reaction", fit_reaction(policy, rule));
	}
	json_string(json, "text", fit_text(text, policy, fitted, rule));
	json_string(json, "why", why);
}
