/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: what a value of a register says. */
#ifndef REGPIN_TOOL_REGS_VALUE_H
#define REGPIN_TOOL_REGS_VALUE_H

#include "base/json.h"
#include "regs_found.h"

/* The bits that @found->value has set, by name; the fields, with their values. */
void regs_put_value(const struct found *found, struct json *json);

#endif
