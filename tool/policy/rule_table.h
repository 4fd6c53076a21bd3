/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All rules of a policy's text that can be violated, in the order of the text, with those that
 * the host leaves out. Each mode of a policy has the same rules in the same order.
 */
#ifndef REGPIN_TOOL_RULE_TABLE_H
#define REGPIN_TOOL_RULE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "unfit.h"

/**
 * struct rule_row - a rule
 * @rule: the rule as it was fitted
 * @left_out: the policy in force does not have it
 * @why: why this host can't enforce it, a constant text; NULL: it can
 */
struct rule_row {
	struct rule rule;
	bool left_out;
	const char *why;
};

/**
 * struct rule_table - the rules of a policy
 * @nr: number of @rows
 * @left_out: the number of them that are left out
 * @rows: the rules by place, then by register; allocated
 */
struct rule_table {
	uint32_t nr, left_out;
	struct rule_row *rows;
};

/* Fills @table from a policy after policy_fit(). Returns 0 or -ENOMEM. */
int rule_table_make(struct rule_table *table, const struct regpin_policy *policy,
		    const struct unfits *unfits);
void rule_table_free(struct rule_table *table);

/*
 * Removes those of @unfits that @table has for the same reason, which is the table of another
 * mode of the same text. Returns their number. Rules that are refused stay.
 */
uint32_t rule_table_drop_known(const struct rule_table *table, struct unfits *unfits);

/* The position of @rule, or -1. */
int32_t rule_table_find(const struct rule_table *table, const struct rule *rule);

#endif
