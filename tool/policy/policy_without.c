// SPDX-License-Identifier: GPL-2.0-only
/* `without`: which conditions of which registers a policy takes away from its base. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "lib/policy/register_names.h"
#include "policy_removal.h"
#include "policy_without.h"

#define NEAR_MAX	512	/* registers of the base with which a wrong one is compared */

/**
 * struct element - a register of `without`
 * @node: the register
 * @conditions: a bit for each condition; all bits: all conditions
 * @order: its place in the text
 */
struct element {
	const struct yaml_node *node;
	unsigned int conditions;
	size_t order;
};

/**
 * struct without - the registers of `without`, in the order of the text
 * @list: the registers, allocated
 * @nr: number of registers
 * @room: how many @list has room for
 * @problems: the list of errors
 */
struct without {
	struct element *list;
	size_t nr, room;
	struct problems *problems;
};

static void add_register(struct without *without, const struct yaml_node *node,
			 unsigned int conditions)
{
	if (node->type == YAML_BAD)
		return;
	if (node->type != YAML_SCALAR) {
		problem_at(without->problems, node, "a register of 'without' is one word, as it is written in the base");
		return;
	}
	if (without->nr == without->room) {
		size_t room = without->room * 2 + 16;
		struct element *list = realloc(without->list, room * sizeof(*list));

		if (!list) {
			problem_no_memory(without->problems);
			return;
		}
		without->list = list;
		without->room = room;
	}
	without->list[without->nr] = (struct element){ node, conditions, without->nr };
	without->nr++;
}

static void unknown_condition(const struct yaml_node *node, struct problems *problems)
{
	struct nearest nearest;

	if (node->type != YAML_SCALAR) {
		problem_at(problems, node, "this is not a condition of a rule");
		return;
	}
	nearest_begin(&nearest, node->text);
	for (unsigned int type = 0; type < RULE_DEFAULT; type++)
		nearest_try(&nearest, rule_type_names[type]);
	problem_at(problems, node, "%s is not a condition of a rule%s",
		   show(node->text).text, nearest_hint(&nearest).text);
}

/* Reads @node, the value of `rules` of an element. Returns 0 if it is wrong. */
static unsigned int read_conditions(const struct yaml_node *node,
				    struct problems *problems)
{
	const struct yaml_node *one = node->type == YAML_LIST ? node->child : node;
	unsigned int bits = 0;

	if (!one)
		problem_at(problems, node, "'rules' lists no condition: leave the key out to remove all rules on the register");
	for (; one; one = node->type == YAML_LIST ? one->next : NULL) {
		unsigned int bit = one->type == YAML_SCALAR ? condition_bit(one->text) : 0;

		if (!bit) {
			unknown_condition(one, problems);
			return 0;
		}
		bits |= bit;
	}
	return bits;
}

static void add_element(struct without *without, const struct yaml_node *node)
{
	const struct yaml_node *reg = NULL, *rules = NULL, *key = NULL;
	unsigned int conditions = ~0u;

	if (node->type == YAML_BAD)
		return;
	if (node->type == YAML_MAP)
		key = node->child;
	for (; key; key = key->next) {
		if (!strcmp(key->text, "register")) {
			reg = key->value;
		} else if (!strcmp(key->text, "rules")) {
			rules = key->value;
		} else {
			problem_at(without->problems, key,
				   "%s is not a key of 'without': it has register and rules",
				   show(key->text).text);
			return;
		}
	}
	if (!reg) {
		problem_at(without->problems, node,
			   "each element of 'without' begins with '- register: NAME'");
		return;
	}
	if (rules)
		conditions = read_conditions(rules, without->problems);
	if (!conditions)
		return;
	if (reg->type != YAML_LIST)
		add_register(without, reg, conditions);
	for (const struct yaml_node *one = reg->child;
	     one && reg->type == YAML_LIST && !enough(without->problems); one = one->next)
		add_register(without, one, conditions);
}

static int by_register(const void *a, const void *b)
{
	const struct element *one = a, *other = b;
	int order = strcmp(one->node->text, other->node->text);

	return order ? order : one->order < other->order ? -1 : 1;
}

static int by_order(const void *a, const void *b)
{
	const struct element *one = a, *other = b;

	return one->order < other->order ? -1 : 1;
}

/**
 * struct missing - what the base has instead of a rule that `without` names
 * @nearest: the nearest name among the registers of its rules, without prefixes
 * @whole: the same name as the base writes it
 * @there: conditions that its rules on the very register have
 * @left: how many registers will still be compared
 */
struct missing {
	struct nearest nearest;
	const char *whole;
	unsigned int there, left;
};

static void compare(struct missing *missing, const struct yaml_node *rule,
		    const struct yaml_node *reg, const char *text)
{
	const char *before = missing->nearest.best;

	if (reg->type != YAML_SCALAR || !missing->left)
		return;
	missing->left--;
	if (!strcmp(reg->text, text)) {
		missing->there |= conditions_of(rule);
		return;
	}
	nearest_try(&missing->nearest, register_core(reg->text));
	if (missing->nearest.best != before)
		missing->whole = reg->text;
}

static void report_missing(const struct yaml_node *node, const struct yaml_node *rules,
			   struct problems *problems)
{
	struct missing missing = { .left = NEAR_MAX };
	char list[128] = "";
	size_t used = 0;

	nearest_begin(&missing.nearest, register_core(node->text));
	for (const struct yaml_node *rule = rules ? rules->child : NULL;
	     rule && missing.left; rule = rule->next) {
		const struct yaml_node *key = rule->type == YAML_MAP ?
						      yaml_key(rule, "register") : NULL;

		if (key)
			compare(&missing, rule, key->value, node->text);
		for (const struct yaml_node *one = key ? key->value->child : NULL;
		     one && missing.left; one = one->next)
			compare(&missing, rule, one, node->text);
	}
	for (unsigned int type = 0; type < RULE_DEFAULT; type++)
		if (missing.there >> type & 1 && used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", rule_type_names[type]);
	if (used)
		problem_at(problems, node,
			   "the policy that this one extends has no such rule on %s: its rules on this register have the conditions %s",
			   show(node->text).text, list);
	else if (missing.whole)
		problem_at(problems, node,
			   "the policy that this one extends has no such rule on %s; did you mean %s?",
			   show(node->text).text, show(missing.whole).text);
	else
		problem_at(problems, node,
			   "the policy that this one extends has no such rule on %s: write the register and the condition as they stand there",
			   show(node->text).text);
}

/*
 * Of several elements on one register, the first takes its conditions away, and the next ones
 * must find others. An element that finds none keeps no condition.
 */
static void mark_found(struct element *first, size_t nr, unsigned int found)
{
	for (size_t i = 0; i < nr; i++) {
		unsigned int took = first[i].conditions & found;

		first[i].conditions = took;
		found &= ~took;
	}
}

/* Takes away what @without lists. Returns 0 or a negative errno. */
static int take_away(struct without *without, struct yaml_node *rules)
{
	struct removal *removals = calloc(without->nr ? without->nr : 1, sizeof(*removals));
	size_t nr = 0, from = 0;
	int err;

	if (!removals)
		return -ENOMEM;
	qsort(without->list, without->nr, sizeof(*without->list), by_register);
	for (size_t i = 0; i < without->nr; i++) {
		const struct element *element = &without->list[i];

		if (!i || strcmp(element[-1].node->text, element->node->text) != 0)
			removals[nr++].reg = element->node->text;
		removals[nr - 1].conditions |= element->conditions;
	}
	err = rules ? removals_apply(removals, nr, rules) : 0;
	for (size_t i = 0; i < nr; i++) {
		size_t to = from;

		while (to < without->nr &&
		       !strcmp(without->list[to].node->text, removals[i].reg))
			to++;
		mark_found(without->list + from, to - from, removals[i].found);
		from = to;
	}
	qsort(without->list, without->nr, sizeof(*without->list), by_order);
	free(removals);
	return err;
}

static void apply(struct without *without, const struct yaml_node *base,
		  const struct yaml_node *place)
{
	const struct yaml_node *key = yaml_key(base, "rules");
	struct yaml_node *rules = key && key->value->type == YAML_LIST ? key->value : NULL;
	int err = take_away(without, rules);

	if (err == -E2BIG)
		problem_at(without->problems, place,
			   "'without' splits rules on several registers into too many rules: in the base, write rules on fewer registers each, or remove all rules on a register");
	else if (err)
		problem_no_memory(without->problems);
	for (size_t i = 0; !err && i < without->nr && !enough(without->problems); i++)
		if (!without->list[i].conditions)
			report_missing(without->list[i].node, rules, without->problems);
}

void without_apply(const struct yaml_node *own, struct yaml_node *base,
		   struct problems *problems)
{
	struct without without = { .problems = problems };
	const struct yaml_node *key = NULL;

	if (own->type == YAML_MAP)
		key = yaml_key(own, "without");
	if (!key || key->value->type == YAML_BAD)
		return;
	if (key->value->type != YAML_LIST || !key->value->child) {
		problem_at(problems, key->value,
			   "'without' must be a list: begin each element with '- register: NAME'");
		return;
	}
	for (const struct yaml_node *node = key->value->child;
	     node && !enough(problems); node = node->next)
		add_element(&without, node);
	if (without.nr)
		apply(&without, base, key);
	free(without.list);
}

void without_needs_base(const struct yaml_node *own, struct problems *problems)
{
	const struct yaml_node *key = NULL;

	if (own->type == YAML_MAP && !yaml_key(own, "extends"))
		key = yaml_key(own, "without");
	if (key)
		problem_at(problems, key,
			   "'without' removes rules of the policy that 'extends' names, and this policy extends none");
}
