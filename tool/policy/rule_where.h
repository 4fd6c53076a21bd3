/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule of a policy by its place, as a person names it. Pure. */
#ifndef REGPIN_TOOL_RULE_WHERE_H
#define REGPIN_TOOL_RULE_WHERE_H

#include <stdint.h>

#include "rule_table.h"

#define RULE_WHERE_TEXT	1024	/* room for the text about an error */

/**
 * struct rule_place - the place of a rule, as in struct rule
 * @line: its line, with the number of its text
 * @column: its column
 */
struct rule_place {
	uint32_t line, column;
};

/*
 * Finds the place that @where names among the rules of @table: LINE, LINE:COLUMN, FILE:LINE
 * or FILE:LINE:COLUMN. FILE is a file's name as events have it, or the last part of that name.
 * Returns 0, -ENOENT or -ENOTUNIQ; with an error @text names the rules that may be meant.
 */
int rule_where_find(const struct rule_table *table, const struct regpin_policy *policy,
		    const char *where, struct rule_place *place,
		    char text[RULE_WHERE_TEXT]);

#endif
