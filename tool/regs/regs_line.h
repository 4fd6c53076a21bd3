/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: lines, a register each. */
#ifndef REGPIN_TOOL_REGS_LINE_H
#define REGPIN_TOOL_REGS_LINE_H

#include "base/json.h"
#include "regs_found.h"

/* One line, which regs_flush() prints; or all that is known of it, in JSON. */
void regs_put_line(const struct found *found, struct json *json);

/* The lines so far, in columns as wide as they need, with a @heading or without. */
void regs_flush(bool heading);

#endif
