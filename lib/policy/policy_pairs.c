// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems between two rules on the same register: the second part of policy_check.c.
 */
#include "action.h"
#include "check_name.h"
#include "policy.h"
#include "policy_pairs.h"
#include "policy_sort.h"
#include "when.h"

/* Is one of the rules of type @x, and the other of type @y? */
static bool are_types(const struct rule *a, const struct rule *b,
		      enum rule_type x, enum rule_type y)
{
	return (a->type == x && b->type == y) || (a->type == y && b->type == x);
}

/* Can @pin never decide, because @deny denies every write that it judges? */
static bool is_moot(const struct rule *pin, const struct rule *deny)
{
	return pin->kind == REGPIN_MSR && rule_is_on_values(pin) && !deny->when &&
	       deny->type == RULE_DENY &&
	       (deny->access & ACCESS_WRITE) && !action_is_graver(pin->action, deny->action);
}

static const char *access_text(unsigned int access)
{
	return access == ACCESS_READ ? "reads" :
	       access == ACCESS_WRITE ? "writes" : "reads and writes";
}

/* Are both rules on values, and on different bits? Such rules may share a register. */
static bool are_apart(const struct rule *a, const struct rule *b)
{
	return rule_is_on_values(a) && rule_is_on_values(b) &&
	       !(a->mask & b->mask);
}

/* Do @a and @b never hold for the same guest? */
static bool never_hold_together(const struct regpin_policy *policy,
				const struct rule *a, const struct rule *b)
{
	return a->when && b->when && a->when != b->when &&
	       when_apart(&policy->whens[a->when - 1],
			  &policy->whens[b->when - 1]);
}

/*
 * A policy's own text counts as later than those that it extends, because its author can
 * change it: the problem is reported there.
 */
static bool written_before(const struct rule *a, const struct rule *b)
{
	uint32_t first = a->line - (1u << PLACE_TEXT_SHIFT);
	uint32_t second = b->line - (1u << PLACE_TEXT_SHIFT);

	return first < second || (first == second && a->column < b->column);
}

static const char *place_of(char to[PLACE_MAX], const struct check *check,
			    const struct rule *rule)
{
	return policy_near_place(to, check->policy, check->rule->line, rule->line,
				 rule->column);
}

/* Two rules of one type share @common bits. */
static void check_twice(struct check *check, const struct rule *first,
			uint64_t common)
{
	const struct rule *rule = check->rule;
	char bits[BITS_TEXT], place[PLACE_MAX];

	if (first->line == rule->line && first->column == rule->column)
		rule_problem(check, false,
			     "%s is in this rule's list of registers twice, perhaps under two names",
			     check->subject);
	else
		rule_problem(check, false,
			     "%s on %s is already in the rule at %s: keep it in one of them",
			     check->type, ~common ?
			     bits_text(bits, sizeof(bits), rule, common) :
			     check->subject, place_of(place, check, first));
}

/* Two rules on the same accesses: a warning if @moot_one, otherwise a contradiction. */
static void check_accesses(struct check *check, const struct rule *first,
			   bool moot_one, const char *advice)
{
	unsigned int common = first->access & check->rule->access;
	char place[PLACE_MAX];

	if (common)
		rule_problem(check, moot_one, "%s and %s (%s) %s %s of %s: %s",
			     check->type, rule_type_names[first->type],
			     place_of(place, check, first),
			     moot_one ? "both apply to" :
					"contradict each other on",
			     access_text(common), check->subject, advice);
}

/* Checks two rules on the same register; @rule was written after @first. */
static void check_pair(struct check *check, const struct rule *first,
		       const struct rule *rule)
{
	uint64_t common = first->mask & rule->mask;
	char bits[BITS_TEXT], place[PLACE_MAX];

	check_begin(check, rule);
	if (first->type == rule->type) {
		if (common && (first->access & rule->access))
			check_twice(check, first, common);
	} else if (common && are_types(first, rule, RULE_STICKY, RULE_NEVER)) {
		rule_problem(check, true,
			     "%s: both sticky and never (%s), which is what frozen means",
			     bits_text(bits, sizeof(bits), rule, common),
			     place_of(place, check, first));
	} else if (common && are_types(first, rule, RULE_REQUIRE, RULE_NEVER)) {
		rule_problem(check, false,
			     "%s: both require and never (%s), and no vCPU could satisfy both: keep one of the two",
			     bits_text(bits, sizeof(bits), rule, common),
			     place_of(place, check, first));
	} else if (common && (are_types(first, rule, RULE_FROZEN, RULE_STICKY) ||
			      are_types(first, rule, RULE_FROZEN, RULE_NEVER))) {
		rule_problem(check, true,
			     "%s: %s already, at %s: frozen includes sticky and never",
			     bits_text(bits, sizeof(bits), rule, common),
			     rule_type_names[first->type], place_of(place, check, first));
	} else if (are_types(first, rule, RULE_DENY, RULE_VALUE)) {
		if (first->access & rule->access)
			rule_problem(check, false,
				     "%s and %s (%s) both apply to reads of %s: keep one of the two",
				     check->type, rule_type_names[first->type],
				     place_of(place, check, first),
				     check->subject);
	} else if (are_types(first, rule, RULE_REPORT, RULE_DENY)) {
		check_accesses(check, first, true, "an access that is denied is already an event, so report adds nothing to it");
	} else if (are_types(first, rule, RULE_ALLOW, RULE_DENY) ||
		   are_types(first, rule, RULE_ALLOW, RULE_VALUE) ||
		   are_types(first, rule, RULE_ALLOW, RULE_REPORT)) {
		check_accesses(check, first, false, "keep one of the two");
	} else if (is_moot(rule, first) || is_moot(first, rule)) {
		rule_problem(check, true,
			     "%s and %s (%s) on the same register, %s: while writes are denied, the other rule decides nothing",
			     check->type, rule_type_names[first->type],
			     place_of(place, check, first), check->subject);
	}
}

void check_pairs(struct check *check, struct regpin_policy *policy)
{
	policy_sort(policy);
	/*
	 * A policy without errors has few pairs, because rules of one type on one register
	 * must differ in bits, accesses or guests. With errors, the number of pairs may be
	 * the square of the number of rules: stop when the list of problems is full.
	 */
	for (uint32_t i = 0; i < policy->nr_rules &&
	     check->problems->errors <= MAX_PROBLEMS; i++) {
		const struct rule *a = &policy->rules[i];

		for (uint32_t j = i + 1; j < policy->nr_rules; j++) {
			const struct rule *b = &policy->rules[j];

			if (!rule_covers(a, b->kind, b->index) ||
			    rule_is_wide(b) ||
			    check->problems->errors > MAX_PROBLEMS)
				break;
			if (are_apart(a, b) || never_hold_together(policy, a, b))
				continue;
			if (written_before(b, a))
				check_pair(check, b, a);
			else
				check_pair(check, a, b);
		}
	}
}
