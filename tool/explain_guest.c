// SPDX-License-Identifier: GPL-2.0-only
/* What of a policy is explained, where rules are for some guests only (`when`). */
#include "explain_report.h"
#include "policy_when.h"
#include "replay.h"
#include "when.h"

void explain_resolve(const struct regpin_policy *policy,
		     const struct guest *guest, struct regpin_policy *to)
{
	static uint16_t numbers[POLICY_MAX_RULES];

	policy_resolve(policy, whens_hold(policy, guest), to, numbers);
}

void report_guest(struct report *report, const struct regpin_policy *policy,
		  const struct guest *guest)
{
	uint64_t hold = whens_hold(policy, guest);
	char text[WHEN_TEXT];

	report_begin(report, "when", "Rules for some guests only");
	for (uint32_t i = 0; i < policy->nr_whens; i++)
		report_line(report, when_text(text, &policy->whens[i]), text,
			    hold >> i & 1 ? "hold, and are in what follows" :
			    guest->known ? "don't hold for this guest" :
			    "not in what follows: see --guest");
	report_end(report);
}
