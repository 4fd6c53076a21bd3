/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: what is printed of a register, as text or as JSON. */
#ifndef REGPIN_TOOL_REGS_PRINT_H
#define REGPIN_TOOL_REGS_PRINT_H

#include "base/json.h"
#include "regs_found.h"

/* All that is known of it; @json is NULL for text. */
void regs_put_one(const struct found *found, struct json *json);

/* One line, or the same as above in JSON. */
void regs_put_line(const struct found *found, struct json *json);

/* The heading of such lines. */
void regs_put_heading(void);

#endif
