/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: a table with one register on each line. */
#ifndef REGPIN_TOOL_REGS_LINE_H
#define REGPIN_TOOL_REGS_LINE_H

#include "base/json.h"
#include "regs_found.h"

/* Adds a line, which regs_flush() prints; or writes all facts about the register to @json. */
void regs_put_line(const struct found *found, struct json *json);

/* Prints the lines added so far, in columns of the necessary width. */
void regs_flush(bool heading);

#endif
