/* SPDX-License-Identifier: GPL-2.0-only */
/* Removes conditions of rules from the tree of a policy. */
#ifndef REGPIN_TOOL_POLICY_REMOVAL_H
#define REGPIN_TOOL_POLICY_REMOVAL_H

#include "yaml_tree.h"

/*
 * Nodes that may be copied. A rule for many registers that loses conditions on each of them
 * becomes as many rules, so a short text could ask for a very large tree.
 */
#define REMOVAL_COPIES_MAX	(2 * YAML_MAX_NODES)

/**
 * struct removal - the conditions to be removed from the rules on one register
 * @reg: the register, as the rules write it
 * @conditions: the conditions, a bit for each enum rule_type
 * @found: those of them that some rule had
 */
struct removal {
	const char *reg;
	unsigned int conditions, found;
};

/* The bit of the condition that @word names, 0 if it names none. */
unsigned int condition_bit(const char *word);

/* The conditions that @rule has, a bit for each. */
unsigned int conditions_of(const struct yaml_node *rule);

/*
 * Applies all of @list, which is sorted by register (strcmp()) and has each of them once, to
 * the list @rules. A rule that has no condition left is removed. A rule for several registers
 * stays for those that keep all conditions, and is followed by one rule for each that keeps
 * some. The time is linear in the size of both. Returns 0, -ENOMEM, or -E2BIG for more than
 * REMOVAL_COPIES_MAX.
 */
int removals_apply(struct removal *list, size_t nr, struct yaml_node *rules);

#endif
