/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: the registers of a rule, and their bits. */
#ifndef REGPIN_TOOL_POLICY_REGISTER_H
#define REGPIN_TOOL_POLICY_REGISTER_H

#include "lib/policy/registers.h"

#include "base/words.h"
#include "yaml_tree.h"

/**
 * struct target - a register, a family or a range that a rule names
 * @reg: its row of the table, NULL for ranges and for MSRs without a row
 * @index: first MSR index
 * @count: number of MSRs
 * @kind: enum regpin_kind
 * @family: it was named by a family's name alone, which stands for all its members
 */
struct target {
	const struct regpin_register *reg;
	uint32_t index, count;
	uint8_t kind;
	bool family;
};

/* Reads one register. Returns false if it is wrong, which is reported. */
bool target_read(const struct yaml_node *node, struct target *target,
		 struct problems *problems);

/* Reports an unknown group, "@NAME", with the nearest one. */
void unknown_group(const struct yaml_node *node, struct problems *problems);

/*
 * Adds the bits that @node names, a scalar or a list, to @mask. With @again the same node was
 * read for another register, so only problems with this register are reported. Returns false
 * if anything is wrong.
 */
bool bits_read(const struct yaml_node *node, const struct target *target,
	       bool again, uint64_t *mask, struct problems *problems);

#endif
