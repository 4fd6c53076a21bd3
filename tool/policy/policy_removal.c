// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_removal.h"

/**
 * struct removals - the work of removals_apply()
 * @list: what to remove, sorted
 * @nr: number of elements of @list
 * @copies: nodes that were copied
 * @error: 0 or a negative errno, which ends the work
 */
struct removals {
	struct removal *list;
	size_t nr;
	unsigned int copies;
	int error;
};

unsigned int condition_bit(const char *word)
{
	for (unsigned int type = 0; type < RULE_DEFAULT; type++)
		if (!strcmp(word, rule_type_names[type]))
			return 1u << type;
	return 0;
}

unsigned int conditions_of(const struct yaml_node *rule)
{
	unsigned int bits = 0;

	for (const struct yaml_node *key = rule->child; key; key = key->next)
		bits |= condition_bit(key->text);
	return bits;
}

static int compare(const void *key, const void *element)
{
	const struct removal *removal = element;

	return strcmp(key, removal->reg);
}

static struct removal *find(const struct removals *removals, const struct yaml_node *reg)
{
	if (reg->type != YAML_SCALAR)
		return NULL;
	return bsearch(reg->text, removals->list, removals->nr, sizeof(*removals->list), compare);
}

/* Copies @node alone. Returns NULL after an error. */
static struct yaml_node *copy_node(struct removals *removals, const struct yaml_node *node)
{
	size_t size = sizeof(*node) + strlen(node->text) + 1;
	struct yaml_node *to = NULL;

	if (++removals->copies > REMOVAL_COPIES_MAX)
		removals->error = -E2BIG;
	else
		to = malloc(size);
	if (!to) {
		removals->error = removals->error ? removals->error : -ENOMEM;
		return NULL;
	}
	memcpy(to, node, size);
	to->next = to->value = to->child = NULL;
	return to;
}

/* Copies @node and what it contains. Returns NULL after an error. */
static struct yaml_node *copy(struct removals *removals, const struct yaml_node *node)
{
	struct yaml_node *to = copy_node(removals, node), **tail;

	if (!to)
		return NULL;
	/* The recursion is as deep as the tree, at most YAML_MAX_DEPTH. */
	if (node->value) {
		to->value = copy(removals, node->value);
		if (!to->value)
			goto fail;
	}
	tail = &to->child;
	for (const struct yaml_node *one = node->child; one; one = one->next) {
		*tail = copy(removals, one);
		if (!*tail)
			goto fail;
		tail = &(*tail)->next;
	}
	return to;
fail:
	yaml_free(to);
	return NULL;
}

/* Copies @rule for @reg alone, one of its registers. Returns NULL after an error. */
static struct yaml_node *copy_for(struct removals *removals, const struct yaml_node *rule,
				  const struct yaml_node *reg)
{
	struct yaml_node *to = copy_node(removals, rule), **tail = to ? &to->child : NULL;

	for (const struct yaml_node *key = rule->child; to && key; key = key->next) {
		bool is_reg = !strcmp(key->text, "register");

		*tail = is_reg ? copy_node(removals, key) : copy(removals, key);
		if (*tail && is_reg)
			(*tail)->value = copy_node(removals, reg);
		if (!*tail || (is_reg && !(*tail)->value)) {
			yaml_free(to);
			return NULL;
		}
		tail = &(*tail)->next;
	}
	return to;
}

/* Removes *@at from its list or map @parent, and frees it. */
static void drop(struct yaml_node *parent, struct yaml_node **at)
{
	struct yaml_node *node = *at;

	*at = node->next;
	node->next = NULL;
	parent->nr--;
	yaml_free(node);
}

static bool is_all(const struct yaml_node *rule, const char *condition)
{
	const struct yaml_node *key = yaml_key(rule, condition);

	if (!key || key->value->type == YAML_SCALAR)
		return key && !strcmp(key->value->text, "all");
	for (const struct yaml_node *one = key->value->child; one; one = one->next)
		if (key->value->type == YAML_LIST && one->type == YAML_SCALAR &&
		    !strcmp(one->text, "all"))
			return true;
	return false;
}

/* Removes keys from @rule that were used only by removed conditions. */
static void drop_modifiers(struct yaml_node *rule)
{
	bool all = is_all(rule, "sticky") || is_all(rule, "never") ||
		   is_all(rule, "frozen");
	bool late = yaml_key(rule, "never") || yaml_key(rule, "frozen");
	struct yaml_node **at = &rule->child;

	while (*at)
		if ((!all && !strcmp((*at)->text, "except")) ||
		    (!late && !strcmp((*at)->text, "from")))
			drop(rule, at);
		else
			at = &(*at)->next;
}

/* Removes @conditions from @rule, which has others as well. */
static void drop_conditions(struct yaml_node *rule, unsigned int conditions)
{
	struct yaml_node **at = &rule->child;

	while (*at)
		if (condition_bit((*at)->text) & conditions)
			drop(rule, at);
		else
			at = &(*at)->next;
	drop_modifiers(rule);
}

/* Returns the place of the next rule. */
static struct yaml_node **from_one(struct yaml_node *rules, struct yaml_node **at,
				   struct removal *removal)
{
	unsigned int has = conditions_of(*at);

	if (!removal || !(has & removal->conditions))
		return &(*at)->next;
	removal->found |= has & removal->conditions;
	if (!(has & ~removal->conditions)) {
		drop(rules, at);
		return at;
	}
	drop_conditions(*at, removal->conditions);
	return &(*at)->next;
}

/* As from_one(), for a rule with the list @regs of registers. */
static struct yaml_node **from_several(struct removals *removals, struct yaml_node *rules,
				       struct yaml_node **at, struct yaml_node *regs)
{
	struct yaml_node *rule = *at, **next = &rule->next, **one = &regs->child;
	unsigned int has = conditions_of(rule);

	while (*one && !removals->error) {
		struct removal *removal = find(removals, *one);
		struct yaml_node *own;

		if (!removal || !(has & removal->conditions)) {
			one = &(*one)->next;
			continue;
		}
		removal->found |= has & removal->conditions;
		own = has & ~removal->conditions ? copy_for(removals, rule, *one) : NULL;
		if (own) {
			drop_conditions(own, removal->conditions);
			own->next = *next;
			*next = own;
			next = &own->next;
			rules->nr++;
		}
		drop(regs, one);
	}
	if (regs->child)
		return next;
	if (next == &rule->next)
		next = at;
	drop(rules, at);
	return next;
}

int removals_apply(struct removal *list, size_t nr, struct yaml_node *rules)
{
	struct removals removals = { .list = list, .nr = nr };
	struct yaml_node **at = &rules->child;

	while (*at && !removals.error) {
		const struct yaml_node *key = NULL;

		if ((*at)->type == YAML_MAP)
			key = yaml_key(*at, "register");
		if (!key)
			at = &(*at)->next;
		else if (key->value->type == YAML_LIST && key->value->child)
			at = from_several(&removals, rules, at, key->value);
		else
			at = from_one(rules, at, find(&removals, key->value));
	}
	return removals.error;
}
