// SPDX-License-Identifier: GPL-2.0-only
/* `without`: removes rules, by register and condition. */
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "lib/policy/policy.h"
#include "policy_without.h"
#include "yaml_word.h"

/**
 * struct removal - one element of `without`
 * @node: its register
 * @rules: a condition or a list of conditions to be removed; NULL: all
 * @problems: the list of errors
 * @found: it has matched a rule of the base
 * @failed: there was no memory
 */
struct removal {
	const struct yaml_node *node, *rules;
	struct problems *problems;
	bool found, failed;
};

static bool is_condition(const char *word)
{
	for (int type = 0; type <= RULE_REPORT; type++)
		if (!strcmp(word, rule_type_names[type]))
			return true;
	return false;
}

/* Is @word the scalar @node, or an element of the list @node? */
static bool names(const struct yaml_node *node, const char *word)
{
	if (node->type == YAML_SCALAR)
		return !strcmp(node->text, word);
	for (const struct yaml_node *one = node->child; one; one = one->next)
		if (node->type == YAML_LIST && one->type == YAML_SCALAR &&
		    !strcmp(one->text, word))
			return true;
	return false;
}

/* Copies @node, without the nodes after it. Returns NULL if there is no memory. */
static struct yaml_node *copy(const struct yaml_node *node)
{
	size_t size = sizeof(*node) + strlen(node->text) + 1;
	struct yaml_node *to = malloc(size), **tail;

	if (!to)
		return NULL;
	memcpy(to, node, size);
	to->next = to->value = to->child = NULL;
	/* The recursion is as deep as the tree, at most YAML_MAX_DEPTH. */
	if (node->value) {
		to->value = copy(node->value);
		if (!to->value)
			goto fail;
	}
	tail = &to->child;
	for (const struct yaml_node *one = node->child; one; one = one->next) {
		*tail = copy(one);
		if (!*tail)
			goto fail;
		tail = &(*tail)->next;
	}
	return to;
fail:
	yaml_free(to);
	return NULL;
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

/* Removes the register from a list of several. */
static void drop_register(const struct removal *removal,
			  struct yaml_node *list)
{
	struct yaml_node **at = &list->child;

	while (*at)
		if ((*at)->type == YAML_SCALAR &&
		    !strcmp((*at)->text, removal->node->text))
			drop(list, at);
		else
			at = &(*at)->next;
}

static bool is_all(const struct yaml_node *rule, const char *condition)
{
	const struct yaml_node *key = yaml_key(rule, condition);

	return key && names(key->value, "all");
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

/* Removes the listed conditions. Returns whether @rule has any left. */
static bool drop_conditions(struct removal *removal, struct yaml_node *rule)
{
	struct yaml_node **at = &rule->child;
	bool left = false;

	while (*at) {
		if (is_condition((*at)->text) &&
		    (!removal->rules || names(removal->rules, (*at)->text))) {
			removal->found = true;
			drop(rule, at);
			continue;
		}
		left = left || is_condition((*at)->text);
		at = &(*at)->next;
	}
	if (left)
		drop_modifiers(rule);
	return left;
}

/* Does @rule have a condition that is to be removed? */
static bool concerns(const struct removal *removal,
		     const struct yaml_node *rule)
{
	for (const struct yaml_node *key = rule->child; key; key = key->next)
		if (is_condition(key->text) &&
		    (!removal->rules || names(removal->rules, key->text)))
			return true;
	return false;
}

/*
 * Splits a rule for several registers in two: one for the others, unchanged, and after it one
 * for this register with the remaining conditions.
 */
static void split(struct removal *removal, struct yaml_node *rules,
		  struct yaml_node *rule, struct yaml_node *list)
{
	struct yaml_node *own = copy(rule), *only;

	if (!own) {
		removal->failed = true;
		return;
	}
	drop_register(removal, list);
	only = yaml_key(own, "register")->value;
	for (struct yaml_node **at = &only->child; *at;)
		if (!names(*at, removal->node->text))
			drop(only, at);
		else
			at = &(*at)->next;
	if (!drop_conditions(removal, own)) {
		yaml_free(own);
		return;
	}
	own->next = rule->next;
	rule->next = own;
	rules->nr++;
}

static void remove_from(struct removal *removal, struct yaml_node *rules)
{
	struct yaml_node **at = &rules->child;

	while (*at) {
		struct yaml_node *rule = *at, *key = NULL;

		if (rule->type == YAML_MAP)
			key = yaml_key(rule, "register");
		if (key && names(key->value, removal->node->text) &&
		    concerns(removal, rule)) {
			if (key->value->nr > 1) {
				split(removal, rules, rule, key->value);
			} else if (!drop_conditions(removal, rule)) {
				drop(rules, at);
				continue;
			}
		}
		at = &rule->next;
	}
}

static void remove_register(const struct yaml_node *node,
			    const struct yaml_node *conditions,
			    const struct yaml_node *base,
			    struct problems *problems)
{
	struct removal removal = { .node = node, .rules = conditions,
				   .problems = problems };
	const struct yaml_node *rules = yaml_key(base, "rules");

	if (node->type == YAML_BAD)
		return;
	if (node->type != YAML_SCALAR) {
		problem_at(problems, node, "a register of 'without' is one word, as it is written in the base");
		return;
	}
	if (rules && rules->value->type == YAML_LIST)
		remove_from(&removal, rules->value);
	if (removal.failed)
		problem_error(problems, 0, 0, "there is not enough memory");
	else if (!removal.found)
		problem_at(problems, node,
			   "the policy that this one extends has no such rule on %s: write the register and the condition as they stand there",
			   show(node->text).text);
}

/* Checks @node, the value of `rules` of an element, or NULL. */
static bool conditions_valid(const struct yaml_node *node,
			     struct problems *problems)
{
	const struct yaml_node *one = node->type == YAML_LIST ? node->child :
								node;

	if (node->type == YAML_LIST && !one)
		problem_at(problems, node, "'rules' lists no condition: leave the key out to take all away");
	for (; one; one = node->type == YAML_LIST ? one->next : NULL) {
		if (one->type == YAML_SCALAR && is_condition(one->text))
			continue;
		problem_at(problems, one, "%s is not a condition of a rule",
			   one->type == YAML_SCALAR ? show(one->text).text :
						      "this");
		return false;
	}
	return node->type == YAML_SCALAR || node->child;
}

static void element_apply(const struct yaml_node *node,
			  const struct yaml_node *base,
			  struct problems *problems)
{
	const struct yaml_node *reg = NULL, *rules = NULL;

	if (node->type == YAML_BAD)
		return;
	for (const struct yaml_node *key = node->type == YAML_MAP ?
						   node->child : NULL;
	     key; key = key->next) {
		if (!strcmp(key->text, "register")) {
			reg = key->value;
		} else if (!strcmp(key->text, "rules")) {
			rules = key->value;
		} else {
			problem_at(problems, key,
				   "%s is not a key of 'without': it has register and rules",
				   show(key->text).text);
			return;
		}
	}
	if (!reg) {
		problem_at(problems, node,
			   "each element of 'without' begins with '- register: NAME'");
		return;
	}
	if (rules && !conditions_valid(rules, problems))
		return;
	if (reg->type != YAML_LIST)
		remove_register(reg, rules, base, problems);
	for (const struct yaml_node *one = reg->child;
	     one && reg->type == YAML_LIST && !enough(problems); one = one->next)
		remove_register(one, rules, base, problems);
}

void without_apply(const struct yaml_node *own, struct yaml_node *base,
		   struct problems *problems)
{
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
		element_apply(node, base, problems);
}

void without_needs_base(const struct yaml_node *own, struct problems *problems)
{
	const struct yaml_node *key = NULL;

	if (own->type == YAML_MAP && !yaml_key(own, "extends"))
		key = yaml_key(own, "without");
	if (key)
		problem_at(problems, key,
			   "'without' takes rules away from the policy that 'extends' names, and this one extends none");
}
