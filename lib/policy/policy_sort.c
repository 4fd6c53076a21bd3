// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of a policy's rules: by register, so that rules on one register stand side
 * by side. Blobs, which the VMM's process cannot trust, are sorted here as well. So the
 * time must be short for any order, and no memory is allocated: the shim must not.
 */
#include <string.h>

#include "pins.h"
#include "policy.h"
#include "policy_sort.h"

/*
 * Compares by register, then by type, then by place in the text. Rules of the whole
 * policy come last.
 */
static int rule_compare(const struct rule *a, const struct rule *b)
{
	if (rule_is_wide(a) != rule_is_wide(b))
		return rule_is_wide(a) ? 1 : -1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return 0;
}

static bool is_sorted(const struct regpin_policy *policy)
{
	for (uint32_t i = 1; i < policy->nr_rules; i++)
		if (rule_compare(&policy->rules[i - 1], &policy->rules[i]) > 0)
			return false;
	return true;
}

/* Moves @rule down from the hole at @at to its place in the heap. */
static void sift(struct rule *rules, uint32_t at, uint32_t nr, struct rule rule)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= nr)
			break;
		if (child + 1 < nr &&
		    rule_compare(&rules[child], &rules[child + 1]) < 0)
			child++;
		if (rule_compare(&rule, &rules[child]) >= 0)
			break;
		rules[at] = rules[child];
		at = child;
	}
	rules[at] = rule;
}

/* Heapsort. It isn't stable, which is harmless: only identical rules compare as equal. */
static void sort(struct rule *rules, uint32_t nr)
{
	for (uint32_t i = nr / 2; i; i--)
		sift(rules, i - 1, nr, rules[i - 1]);
	for (uint32_t i = nr; i > 1; i--) {
		struct rule last = rules[i - 1];

		rules[i - 1] = rules[0];
		sift(rules, 0, i - 1, last);
	}
}

_Static_assert(POLICY_MAX_REACH > POLICY_MAX_RULES &&
	       !(POLICY_MAX_REACH & (POLICY_MAX_REACH - 1)),
	       "policy_range() halves it");

/* Fills @slots, backwards, so that the first rule of each slot is written last. */
static void note_slots(struct regpin_policy *policy)
{
	uint32_t nr = policy->kinds[REGPIN_MSR + 1];

	if (nr > POLICY_FEW_RULES)
		return;
	for (uint32_t slot = 0; slot < POLICY_SLOTS; slot++)
		policy->slots[slot] = (uint16_t)nr;
	for (uint32_t i = nr; i; i--) {
		const struct rule *rule = &policy->rules[i - 1];
		bool all = rule->count >= POLICY_SLOTS;

		for (uint32_t n = 0; n < (all ? POLICY_SLOTS : rule->count); n++)
			policy->slots[all ? n : policy_slot(rule->index + n)] =
				(uint16_t)(i - 1);
	}
}

/* Fills @kinds, @reach and @slots. MSRs are the first kind, so their rules come first. */
static void note_ranges(struct regpin_policy *policy)
{
	uint32_t reach = 0, size = 1, i = 0;

	_Static_assert(REGPIN_MSR == 0, "the rules on MSRs come first");
	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++) {
		policy->kinds[kind] = i;
		while (i < policy->nr_rules && policy->rules[i].kind == kind &&
		       !rule_is_wide(&policy->rules[i]))
			i++;
	}
	policy->kinds[REGPIN_KIND_MAX] = policy->kinds[REGPIN_KIND_MAX + 1] = i;
	while (size <= policy->kinds[REGPIN_MSR + 1])
		size *= 2;
	for (i = 0; i < policy->kinds[REGPIN_MSR + 1]; i++) {
		const struct rule *rule = &policy->rules[i];
		uint32_t last = rule->index + (rule->count - 1);

		/* policy_check() refuses a range beyond the last MSR; here it is cut. */
		if (last < rule->index)
			last = UINT32_MAX;
		if (last > reach)
			reach = last;
		policy->reach[i] = reach;
	}
	for (; i < size; i++)
		policy->reach[i] = UINT32_MAX;
	policy->reach_half = size / 2;
	note_slots(policy);
}

static bool same_registers(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && a->index == b->index &&
	       a->count == b->count;
}

/* Fills @pins, backwards: the pins of each rule include those of the rules after it. */
static void note_pins(struct regpin_policy *policy)
{
	policy->requires = false;
	for (uint32_t i = policy->nr_rules; i; i--) {
		const struct rule *rule = &policy->rules[i - 1];
		struct pins *pins = &policy->pins[i - 1];

		policy->requires |= rule->type == RULE_REQUIRE;
		*pins = rule_pins(rule);
		pins->next = i;
		if (i == policy->nr_rules || !same_registers(rule, rule + 1))
			continue;
		pins->falls |= pins[1].falls;
		pins->rises |= pins[1].rises;
		pins->have |= pins[1].have;
		pins->speaks |= pins[1].speaks;
		pins->wants |= pins[1].wants;
		pins->next = pins[1].next;
	}
}

void policy_sort(struct regpin_policy *policy)
{
	/* Usually they are sorted: authors keep an order, and blobs are written sorted. */
	if (!is_sorted(policy))
		sort(policy->rules, policy->nr_rules);
	note_ranges(policy);
	note_pins(policy);
	policy->sorted = true;
}
