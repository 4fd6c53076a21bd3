/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: explains a value of a register. */
#ifndef REGPIN_TOOL_REGS_VALUE_H
#define REGPIN_TOOL_REGS_VALUE_H

#include "base/json.h"
#include "regs_found.h"

/* Prints the bits that are set in @found->value, by name, and fields with their values. */
void regs_put_value(const struct found *found, struct json *json);

#endif
