// SPDX-License-Identifier: GPL-2.0-only
/* A rule that a KVM can't enforce, as members of a JSON object. */
#include <inttypes.h>
#include <stdio.h>

#include "event/event_names.h"
#include "unfit_json.h"

void json_rule_place(struct json *json, const struct regpin_policy *policy,
		     const struct rule *rule)
{
	char subject[REGISTER_NAME_MAX], where[PLACE_MAX];

	json_string(json, "register", event_rule_subject(subject, rule));
	json_string(json, "rule", rule_type_names[rule->type]);
	json_string(json, "where",
		    policy_place(where, policy, rule->line, rule->column));
}

void json_unfit(struct json *json, const struct regpin_policy *policy,
		enum fitted fitted, const struct rule *rule, const char *why)
{
	char text[FIT_TEXT];

	json_rule_place(json, policy, rule);
	json_bool(json, "polled", fitted == FIT_DETECTED);
	json_string(json, "rule_action", regpin_action_names[rule->action]);
	if (fitted == FIT_DETECTED) {
		json_u64(json, "every_ms", policy->settings.detect_ms);
		json_string(json, "action", fit_reaction(policy, rule));
	}
	json_string(json, "text", fit_text(text, policy, fitted, rule));
	json_string(json, "why", why);
}

void json_unfits(struct json *json, const char *name,
		 const struct regpin_policy *policy,
		 const struct unfits *unfits)
{
	json_array_begin(json, name);
	for (uint32_t i = 0; i < unfits->nr; i++) {
		const struct unfit *unfit = &unfits->list[i];

		json_object_begin(json, NULL);
		json_unfit(json, policy, unfit->fitted, &unfit->rule,
			   unfit->why);
		json_object_end(json);
	}
	json_array_end(json);
}

void json_refused_policy(const struct regpin_policy *policy,
			 const struct which_kvm *kvm,
			 const struct unfits *unfits)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_string(&json, "policy_file", policy->source);
	kvm_json(&json, kvm);
	json_bool(&json, "ok", false);
	json_unfits(&json, "reasons", policy, unfits);
	json_object_end(&json);
	json_end(&json);
}
