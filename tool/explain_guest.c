// SPDX-License-Identifier: GPL-2.0-only
/* Which guest is explained, where rules are for some guests only (`when`). */
#include <stdlib.h>
#include <string.h>

#include "explain_report.h"
#include "policy_when.h"
#include "replay.h"
#include "when.h"

/* ":NUMBER", or the end. Returns what is behind it, or NULL. */
static const char *number(const char *text, uint16_t *value)
{
	unsigned long n;
	char *end;

	if (*text != ':')
		return *text ? NULL : text;
	text++;
	n = strtoul(text, &end, 0);
	if (end == text || *text == '-' || *text == '+' || n > UINT16_MAX)
		return NULL;
	*value = (uint16_t)n;
	return end;
}

bool explain_guest(const char *text, struct guest *guest)
{
	size_t length = strcspn(text, ":");
	char vendor[WHEN_VENDOR + 1];

	*guest = (struct guest){ .known = true };
	if (length >= sizeof(vendor))
		return false;
	memcpy(vendor, text, length);
	vendor[length] = 0;
	if (!when_vendor(vendor, guest->vendor))
		return false;
	text = number(text + length, &guest->family);
	if (text)
		text = number(text, &guest->model);
	/* CPUID has no room for more: SDM volume 2, "CPUID", leaf 1. */
	return text && !*text && guest->family <= 0xf + 0xff &&
	       guest->model <= 0xff;
}

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
