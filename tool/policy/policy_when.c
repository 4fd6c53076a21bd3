// SPDX-License-Identifier: GPL-2.0-only
/* `when`: the guests for which a rule holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "lib/policy/when.h"
#include "policy_reader.h"
#include "policy_when.h"
#include "yaml_tree.h"

static const struct {
	const char *name, *vendor;
} vendors[] = {
	{ "amd", "AuthenticAMD" },
	{ "intel", "GenuineIntel" },
	{ "hygon", "HygonGenuine" },
};

bool when_vendor(const char *text, char vendor[WHEN_VENDOR])
{
	for (size_t i = 0; i < NR(vendors); i++)
		if (!strcmp(text, vendors[i].name)) {
			memcpy(vendor, vendors[i].vendor, WHEN_VENDOR);
			return true;
		}
	if (strlen(text) != WHEN_VENDOR)
		return false;
	for (int i = 0; i < WHEN_VENDOR; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	memcpy(vendor, text, WHEN_VENDOR);
	return true;
}

struct hint when_vendor_hint(const char *text)
{
	struct nearest nearest;

	nearest_begin(&nearest, text);
	for (size_t i = 0; i < NR(vendors); i++)
		nearest_try(&nearest, vendors[i].name);
	return nearest_hint(&nearest);
}

static bool vendor_read(const struct yaml_node *node, char vendor[WHEN_VENDOR],
			struct problems *problems)
{
	if (node->type == YAML_BAD)
		return false;
	if (node->type == YAML_SCALAR && when_vendor(node->text, vendor))
		return true;
	problem_at(problems, node,
		   "a vendor is amd, intel or hygon, or the twelve ASCII characters that CPUID reports, for example \"AuthenticAMD\"%s",
		   when_vendor_hint(node->type == YAML_SCALAR ?
				    node->text : "").text);
	return false;
}

/* Reads one vendor or a list of them. Returns their number, or 0 if one is wrong. */
static unsigned int vendors_read(const struct yaml_node *node,
				 char to[][WHEN_VENDOR],
				 struct problems *problems)
{
	unsigned int nr = 0;
	bool ok = true;

	if (node->type != YAML_LIST)
		return vendor_read(node, to[0], problems);
	if (!node->child)
		problem_at(problems, node,
			   "this list names no vendor: leave the line out");
	for (node = node->child; node; node = node->next) {
		if (nr == WHEN_VENDORS) {
			problem_at(problems, node,
				   "more than %u vendors in one 'when': use two rules",
				   WHEN_VENDORS);
			return 0;
		}
		if (!vendor_read(node, to[nr], problems))
			ok = false;
		for (unsigned int i = 0; ok && i < nr; i++)
			if (!memcmp(to[i], to[nr], WHEN_VENDOR)) {
				problem_at(problems, node,
					   "this vendor is in the list twice");
				ok = false;
			}
		nr++;
	}
	return ok ? nr : 0;
}

static bool span_read(const struct yaml_node *node, const char *what,
		      unsigned int max, struct span *span,
		      struct problems *problems)
{
	uint64_t first = 0, last = 0;
	const char *fault;

	if (node->type == YAML_BAD)
		return false;
	if (node->type != YAML_SCALAR)
		fault = "it is one number or a range";
	else
		fault = range_read(node->text, max, &first, &last);
	if (fault) {
		problem_at(problems, node,
			   "%s%s%s: %s (the range is 0 to 0x%x, as CPUID reports it, with the extended %s)",
			   what, node->type == YAML_SCALAR ? " " : "",
			   node->type == YAML_SCALAR ? show(node->text).text :
						       "", fault, max, what);
		return false;
	}
	*span = (struct span){ (uint16_t)first, (uint16_t)last };
	return true;
}

static bool spans_read(const struct yaml_node *node, const char *what,
		       unsigned int max, struct span *spans, uint8_t *nr,
		       struct problems *problems)
{
	bool ok = true;

	if (node->type != YAML_LIST) {
		*nr = 1;
		return span_read(node, what, max, spans, problems);
	}
	if (!node->child)
		problem_at(problems, node,
			   "this list names no %s: leave the line out", what);
	ok = node->child;
	for (node = node->child; node; node = node->next) {
		if (*nr == WHEN_SPANS) {
			problem_at(problems, node,
				   "more than %u values in one 'when': use ranges, or two rules",
				   WHEN_SPANS);
			return false;
		}
		ok &= span_read(node, what, max, &spans[(*nr)++], problems);
	}
	return ok;
}

/* Returns the number of @when in the policy, to which it is added if need be; 0: no room. */
static uint16_t when_number(struct regpin_policy *policy,
			    const struct when *when)
{
	uint32_t i;

	for (i = 0; i < policy->nr_whens; i++)
		if (when_same(&policy->whens[i], when))
			return (uint16_t)(i + 1);
	if (i == POLICY_MAX_WHENS)
		return 0;
	policy->whens[policy->nr_whens++] = *when;
	return (uint16_t)(i + 1);
}

/* Adds one condition for each vendor, because a guest has only one vendor. */
static bool whens_add(const struct reader *reader, const struct yaml_node *key,
		      struct when *when, char names[][WHEN_VENDOR],
		      struct rule_whens *whens)
{
	when->line = key->line;
	when->column = key->column;
	for (unsigned int i = 0; i < whens->nr; i++) {
		memcpy(when->vendor, names[i], WHEN_VENDOR);
		whens->numbers[i] = when_number(reader->policy, when);
		if (whens->numbers[i])
			continue;
		problem_at(reader->problems, key,
			   "the policy has too many different conditions: the limit is %u",
			   POLICY_MAX_WHENS);
		return false;
	}
	return true;
}

bool when_read(const struct reader *reader, const struct yaml_node *rule,
	       struct rule_whens *whens)
{
	static const struct word keys[] = {
		{ "vendor", 0 }, { "family", 0 }, { "model", 0 },
	};
	const struct yaml_node *key = yaml_key(rule, "when"), *map, *sub;
	struct problems *problems = reader->problems;
	char names[WHEN_VENDORS][WHEN_VENDOR] = { { 0 } };
	struct when when = { .nr_families = 0 };
	bool ok = true;

	*whens = (struct rule_whens){ .nr = 1 };
	if (!key)
		return true;
	map = key->value;
	if (map->type == YAML_BAD)
		return false;
	if (map->type != YAML_MAP || !map->child) {
		problem_at(problems, map,
			   "'when' is a map: write {vendor: amd, family: 0x19}, or leave it out");
		return false;
	}
	ok = keys_check(reader, map, keys, NR(keys), "in 'when'",
			"does not belong here");
	sub = yaml_key(map, "vendor");
	if (sub)
		whens->nr = vendors_read(sub->value, names, problems);
	sub = yaml_key(map, "family");
	if (sub)
		ok &= spans_read(sub->value, "family", WHEN_MAX_FAMILY,
				 when.families, &when.nr_families, problems);
	sub = yaml_key(map, "model");
	if (sub)
		ok &= spans_read(sub->value, "model", WHEN_MAX_MODEL,
				 when.models, &when.nr_models, problems);
	return ok && whens->nr && whens_add(reader, key, &when, names, whens);
}

static size_t spans_text(char *buf, size_t size, const char *what,
			 const struct span *spans, unsigned int nr)
{
	size_t used = 0;

	for (unsigned int i = 0; i < nr && used < size; i++) {
		used += (size_t)snprintf(buf + used, size - used, "%s0x%x",
					 i ? "|" : what, spans[i].first);
		if (spans[i].last != spans[i].first && used < size)
			used += (size_t)snprintf(buf + used, size - used,
						 "-0x%x", spans[i].last);
	}
	return used < size ? used : size - 1;
}

const char *when_text(char buf[WHEN_TEXT], const struct when *when)
{
	size_t used = 0;

	buf[0] = 0;
	if (when->vendor[0])
		used = (size_t)snprintf(buf, WHEN_TEXT, "vendor %.*s",
					WHEN_VENDOR, when->vendor);
	used += spans_text(buf + used, WHEN_TEXT - used,
			   used ? ", family " : "family ", when->families,
			   when->nr_families);
	spans_text(buf + used, WHEN_TEXT - used, used ? ", model " : "model ",
		   when->models, when->nr_models);
	return buf;
}
