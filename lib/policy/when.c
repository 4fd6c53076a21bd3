// SPDX-License-Identifier: LGPL-2.1-or-later
/* `when`: the guests for which a rule holds. */
#include <string.h>

#include "guest.h"
#include "policy_sort.h"
#include "when.h"

static bool has_vendor(const struct when *when)
{
	return when->vendor[0];
}

bool when_same(const struct when *a, const struct when *b)
{
	return !memcmp(a->families, b->families, sizeof(a->families)) &&
	       !memcmp(a->models, b->models, sizeof(a->models)) &&
	       !memcmp(a->vendor, b->vendor, sizeof(a->vendor)) &&
	       a->nr_families == b->nr_families && a->nr_models == b->nr_models;
}

static bool within(const struct span *spans, unsigned int nr, unsigned int x)
{
	for (unsigned int i = 0; i < nr; i++)
		if (x >= spans[i].first && x <= spans[i].last)
			return true;
	return !nr;
}

static bool spans_apart(const struct span *a, unsigned int nr_a,
			const struct span *b, unsigned int nr_b)
{
	for (unsigned int i = 0; i < nr_a; i++)
		for (unsigned int j = 0; j < nr_b; j++)
			if (a[i].first <= b[j].last && b[j].first <= a[i].last)
				return false;
	return nr_a && nr_b;
}

bool when_apart(const struct when *a, const struct when *b)
{
	if (has_vendor(a) && has_vendor(b) &&
	    memcmp(a->vendor, b->vendor, sizeof(a->vendor)) != 0)
		return true;
	return spans_apart(a->families, a->nr_families, b->families,
			   b->nr_families) ||
	       spans_apart(a->models, a->nr_models, b->models, b->nr_models);
}

bool when_matches(const struct when *when, const struct guest *guest)
{
	if (!guest->known)
		return false;
	return (!has_vendor(when) || !memcmp(when->vendor, guest->vendor,
					     sizeof(guest->vendor))) &&
	       within(when->families, when->nr_families, guest->family) &&
	       within(when->models, when->nr_models, guest->model);
}

uint64_t whens_match(const struct regpin_policy *policy,
		     const struct guest *guest)
{
	uint64_t hold = 0;

	for (uint32_t i = 0; i < policy->nr_whens; i++)
		if (when_matches(&policy->whens[i], guest))
			hold |= 1ull << i;
	return hold;
}

static bool spans_valid(const struct span *spans, unsigned int nr,
			unsigned int max)
{
	static const struct span none;

	if (nr > WHEN_SPANS)
		return false;
	for (unsigned int i = 0; i < WHEN_SPANS; i++) {
		if (i >= nr && memcmp(&spans[i], &none, sizeof(none)) != 0)
			return false;
		if (spans[i].first > spans[i].last || spans[i].last > max)
			return false;
	}
	return true;
}

bool when_valid(const struct when *when)
{
	static const char none[WHEN_VENDOR];
	bool any = !memcmp(when->vendor, none, sizeof(none));

	for (int i = 0; !any && i < WHEN_VENDOR; i++)
		if (when->vendor[i] < ' ' || when->vendor[i] > '~')
			return false;
	return spans_valid(when->families, when->nr_families,
			   WHEN_MAX_FAMILY) &&
	       spans_valid(when->models, when->nr_models, WHEN_MAX_MODEL) &&
	       (!any || when->nr_families || when->nr_models) &&
	       !when->pad[0] && !when->pad[1];
}

void policy_resolve(const struct regpin_policy *policy, uint64_t hold,
		    struct regpin_policy *to, uint16_t *numbers)
{
	uint32_t nr = 0;

	to->number = policy->number;
	to->flags = policy->flags;
	to->arming = policy->arming;
	to->settings = policy->settings;
	to->sorted = false;
	to->nr_whens = 0;
	memcpy(to->source, policy->source, sizeof(to->source));
	memcpy(to->bases, policy->bases, sizeof(to->bases));
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->when && !(hold >> (rule->when - 1) & 1))
			continue;
		to->rules[nr] = *rule;
		to->rules[nr].when = 0;
		numbers[nr++] = (uint16_t)i;
	}
	to->nr_rules = nr;
	/* The rules are in order, so that sorting moves none: @numbers stays right. */
	if (policy->sorted)
		policy_sort(to);
}
