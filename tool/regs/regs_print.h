/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: the facts about one register, as text or as JSON. */
#ifndef REGPIN_TOOL_REGS_PRINT_H
#define REGPIN_TOOL_REGS_PRINT_H

#include "base/json.h"
#include "regs_found.h"

/* "EFER", "IA32_PMC0-7" for a family, "IA32_PMC3" for one of it. Returns @buf. */
const char *regs_title(char buf[REGISTER_TITLE_MAX], const struct found *found);

/* Its index, or the first and the last one of a family. */
const char *regs_place(char buf[REGISTER_TITLE_MAX], const struct found *found);

/* Prints all facts about it; @json is NULL for text. */
void regs_put_one(const struct found *found, struct json *json);

#endif
