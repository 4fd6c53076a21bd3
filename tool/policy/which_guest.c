// SPDX-License-Identifier: GPL-2.0-only
/* --guest: a guest described by its CPUID. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "lib/policy/when.h"
#include "policy_when.h"
#include "which_guest.h"

/* Reads ":NUMBER", or the end. Returns the text after it, or NULL. */
static const char *number(const char *text, uint16_t *value)
{
	unsigned long n;
	char *end;

	if (*text != ':')
		return *text ? NULL : text;
	text++;
	/* As in a policy: no sign, no blank, and no leading 0, which may be meant as octal. */
	if (!isdigit((unsigned char)*text) ||
	    (*text == '0' && isdigit((unsigned char)text[1])))
		return NULL;
	n = strtoul(text, &end, 0);
	if (n > UINT16_MAX)
		return NULL;
	*value = (uint16_t)n;
	return end;
}

static bool read_guest(const char *text, struct asked_guest *asked)
{
	struct guest *guest = &asked->guest;
	size_t length = strcspn(text, ":");
	char vendor[WHEN_VENDOR + 1];

	*asked = (struct asked_guest){ .guest.known = true };
	if (length >= sizeof(vendor))
		return false;
	memcpy(vendor, text, length);
	vendor[length] = 0;
	if (!when_vendor(vendor, guest->vendor))
		return false;
	text += length;
	asked->family = *text;
	text = number(text, &guest->family);
	asked->model = text && *text;
	if (text)
		text = number(text, &guest->model);
	/* CPUID has no room for more: SDM volume 2, "CPUID", leaf 1. */
	return text && !*text && guest->family <= 0xf + 0xff &&
	       guest->model <= 0xff;
}

bool guest_option(const char *command, const char *text,
		  struct asked_guest *asked)
{
	char vendor[WHEN_VENDOR + 1], read[WHEN_VENDOR];

	if (read_guest(text, asked))
		return true;
	snprintf(vendor, sizeof(vendor), "%.*s", (int)strcspn(text, ":"), text);
	fprintf(stderr,
		"regpin %s: --guest '%s' is not VENDOR[:FAMILY[:MODEL]], as in amd:0x19:0x21: VENDOR is amd, intel, hygon or the twelve characters of CPUID, FAMILY is at most 0x10e and MODEL 0xff%s\n",
		command, printable(text), when_vendor(vendor, read) ? "" :
		when_vendor_hint(vendor).text);
	return false;
}

enum holds guest_holds(const struct when *when, const struct asked_guest *asked)
{
	struct when without = *when;

	/* If it holds for some family and model, these decide. */
	if (!asked->family)
		without.nr_families = 0;
	if (!asked->model)
		without.nr_models = 0;
	if (!when_matches(&without, &asked->guest))
		return HOLDS_NOT;
	if (!asked->family && when->nr_families)
		return HOLDS_BY_FAMILY;
	return !asked->model && when->nr_models ? HOLDS_BY_MODEL : HOLDS;
}
