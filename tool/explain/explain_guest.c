// SPDX-License-Identifier: GPL-2.0-only
/* Rules for some guests only (`when`): which of them are explained. */
#include <inttypes.h>
#include <stdio.h>

#include "explain_guest.h"
#include "lib/policy/when.h"
#include "policy/policy_when.h"

void explain_resolve(const struct regpin_policy *policy,
		     const struct asked_guest *asked, struct regpin_policy *to)
{
	static uint16_t numbers[POLICY_MAX_RULES];
	uint64_t hold = 0;

	for (uint32_t i = 0; i < policy->nr_whens; i++)
		if (guest_holds(&policy->whens[i], asked) == HOLDS)
			hold |= 1ull << i;
	policy_resolve(policy, hold, to, numbers);
}

static const char *holds_text(enum holds holds, const struct asked_guest *asked)
{
	static const char *const texts[] = {
		[HOLDS_NOT] = "not for this guest",
		[HOLDS] = "for this guest: included below",
		[HOLDS_BY_FAMILY] = "depends on the guest's family, which --guest does not give: not included below",
		[HOLDS_BY_MODEL] = "depends on the guest's model, which --guest does not give: not included below",
	};

	return asked->guest.known ? texts[holds] :
	       "depends on the guest: not included below without --guest";
}

static const char *holds_word(enum holds holds, const struct asked_guest *asked)
{
	return !asked->guest.known ? "depends" : holds == HOLDS ? "yes" :
	       holds == HOLDS_NOT ? "no" : "depends";
}

void report_guest(struct report *report, const struct regpin_policy *policy,
		  const struct asked_guest *asked)
{
	struct json *json = report->json;
	char text[WHEN_TEXT];

	if (json)
		json_array_begin(json, "conditions");
	else
		puts("\nRules for some guests only");
	for (uint32_t i = 0; i < policy->nr_whens; i++) {
		enum holds holds = guest_holds(&policy->whens[i], asked);

		when_text(text, &policy->whens[i]);
		if (!json) {
			printf("  %s: %s\n", text, holds_text(holds, asked));
			continue;
		}
		json_object_begin(json, NULL);
		json_string(json, "condition", text);
		json_string(json, "holds", holds_word(holds, asked));
		json_string(json, "text", holds_text(holds, asked));
		json_object_end(json);
	}
	if (json)
		json_array_end(json);
}
