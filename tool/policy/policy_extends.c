// SPDX-License-Identifier: GPL-2.0-only
/* A policy that extends another one: joins their trees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/words.h"
#include "policy_extends.h"
#include "policy_without.h"

/* Keys about the text itself, which are never inherited. */
static bool is_own(const char *key)
{
	return !strcmp(key, "version") || !strcmp(key, "extends") ||
	       !strcmp(key, "without");
}

static struct yaml_node **last_child(struct yaml_node *node)
{
	struct yaml_node **tail = &node->child;

	while (*tail)
		tail = &(*tail)->next;
	return tail;
}

/* Removes the key at *@at from its map, and returns it. */
static struct yaml_node *detach(struct yaml_node *map, struct yaml_node **at)
{
	struct yaml_node *key = *at;

	*at = key->next;
	key->next = NULL;
	map->nr--;
	return key;
}

/* Puts the rules of the base before the policy's own. */
static void join_rules(struct yaml_node *own, struct yaml_node *base)
{
	struct yaml_node **tail = last_child(base);

	*tail = own->child;
	own->child = base->child;
	own->nr += base->nr;
	base->child = NULL;
	base->nr = 0;
}

static void inherit(struct yaml_node *own, struct yaml_node *base)
{
	struct yaml_node **at = &base->child;

	while (*at) {
		const struct yaml_node *mine = yaml_key(own, (*at)->text);

		if (mine && !strcmp((*at)->text, "rules") &&
		    mine->value->type == YAML_LIST &&
		    (*at)->value->type == YAML_LIST) {
			join_rules(mine->value, (*at)->value);
		} else if (!mine && !is_own((*at)->text)) {
			*last_child(own) = detach(base, at);
			own->nr++;
			continue;
		}
		at = &(*at)->next;
	}
}

/* Can this regpin read the base's version? The policy's own version is checked elsewhere. */
static bool base_readable(const struct yaml_node *base,
			  struct problems *problems)
{
	const struct yaml_node *key;

	if (base->type != YAML_MAP) {
		problem_at(problems, base,
			   "a policy is a map: it begins with 'version: 1'");
		return false;
	}
	key = yaml_key(base, "version");
	if (key && key->value->type == YAML_SCALAR &&
	    !strcmp(key->value->text, "1"))
		return true;
	problem_at(problems, key ? key : base,
		   "this regpin reads policies of version 1 only");
	return false;
}

/* Is part @n of @bundle the policy that @root extends? */
static bool part_fits(const struct bundle *bundle, unsigned int n,
		      const struct yaml_node *root, struct problems *problems)
{
	const struct yaml_node *key = NULL;

	if (root->type == YAML_MAP)
		key = yaml_key(root, "extends");
	if (!key) {
		if (n < bundle->nr)
			problem_error(problems, PLACE_LINE(root->line), 1,
				      "there are more policies after this one, and it extends none");
		return n >= bundle->nr;
	}
	if (key->value->type != YAML_SCALAR)
		problem_at(problems, key->value,
			   "'extends' is the name of one policy: write 'extends: linux'");
	else if (n >= bundle->nr)
		problem_at(problems, key->value,
			   "the text of the policy %s is missing: send it after this one, as 'regpin ctl' does",
			   show(key->value->text).text);
	else if (strcmp(bundle->parts[n].name, key->value->text) != 0)
		problem_at(problems, key->value,
			   "the text after this one is that of another policy, %s",
			   show(bundle->parts[n].name).text);
	else
		return true;
	return false;
}

static struct yaml_node *tree_of(const struct bundle *bundle, unsigned int n,
				 struct regpin_policy *policy,
				 struct problems *problems)
{
	const struct bundle_part *part = &bundle->parts[n];
	struct yaml_node *own, *base;

	if (n)
		snprintf(policy->bases[n - 1], sizeof(policy->bases[n - 1]),
			 "%s", printable(part->path));
	own = yaml_parse(part->text, part->size, n, problems);
	if (!own)
		return NULL;
	if (!part_fits(bundle, n + 1, own, problems) || n + 1 >= bundle->nr) {
		without_needs_base(own, problems);
		return own;
	}
	/* The recursion is as deep as the number of bases. */
	base = tree_of(bundle, n + 1, policy, problems);
	if (base && base_readable(base, problems)) {
		without_apply(own, base, problems);
		inherit(own, base);
	}
	yaml_free(base);
	return own;
}

struct yaml_node *extends_tree(const struct bundle *bundle,
			       struct regpin_policy *policy,
			       struct problems *problems)
{
	return tree_of(bundle, 0, policy, problems);
}
