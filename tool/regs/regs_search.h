/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: the registers that are printed, a line each. */
#ifndef REGPIN_TOOL_REGS_SEARCH_H
#define REGPIN_TOOL_REGS_SEARCH_H

#include <stdbool.h>

#include "base/json.h"
#include "lib/policy/registers.h"

/* The line of a whole row. */
void regs_put_row(const struct regpin_register *reg, struct json *json);

/*
 * A line for each register that has a bit @text, is of this class, or has a name that
 * the pattern fits, or in which these words are: the last one may be only the beginning
 * of one, but letters within a word are never enough. False if there is none.
 */
bool regs_search(const char *text, struct json *json);

/*
 * "@rapl": a line for each register of the group; "@": a line for each group. False if
 * there is no such group.
 */
bool regs_group(const char *text, struct json *json);

/* "0x10a-0x10f": those in it that have names. False, with a message, if that is wrong. */
bool regs_range(const char *text, struct json *json);

/* The name of the bit that @text is most likely a mistyping of, or NULL. */
const char *regs_near_bit(const char *text);

#endif
