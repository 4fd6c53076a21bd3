/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: finding several registers. */
#ifndef REGPIN_TOOL_REGS_SEARCH_H
#define REGPIN_TOOL_REGS_SEARCH_H

#include <stdbool.h>

#include "base/json.h"
#include "lib/policy/registers.h"

/* Adds the line of a whole row. */
void regs_put_row(const struct regpin_register *reg, struct json *json);

/*
 * Adds a line for each register that has a bit @text, is of this class, or has a name that
 * matches this pattern or contains these words: the last word may be the beginning of one,
 * but letters within a word do not match. Returns false if there is none.
 */
bool regs_search(const char *text, struct json *json);

/*
 * "@rapl": adds a line for each register of the group; "@": a line for each group. Returns
 * false if there is no such group.
 */
bool regs_group(const char *text, struct json *json);

/*
 * "0x10a-0x10f": adds a line for each register in the range that has a name. Returns false
 * after a message if @text is not a valid range.
 */
bool regs_range(const char *text, struct json *json);

/* The name of the bit that @text is most likely a mistyping of, or NULL. */
const char *regs_near_bit(const char *text);

#endif
