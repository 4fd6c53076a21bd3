/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: what is printed of a register, as text or as JSON. */
#ifndef REGPIN_TOOL_REGS_H
#define REGPIN_TOOL_REGS_H

#include "registers.h"

#include "base/json.h"

/**
 * struct found - what was asked for
 * @reg: its row; NULL: an MSR that is in none
 * @index: of the MSR
 * @family: the row is meant as a whole, all that it has
 * @decode: @value is to be explained as well
 */
struct found {
	const struct regpin_register *reg;
	uint32_t index;
	bool family, decode;
	uint64_t value;
};

/* All that is known of it; @json is NULL for text. */
void regs_put_one(const struct found *found, struct json *json);

/* One line, or the same as above in JSON. */
void regs_put_line(const struct found *found, struct json *json);

/* The line of a whole row. */
void regs_put_row(const struct regpin_register *reg, struct json *json);

/* The heading of such lines. */
void regs_put_heading(void);

/* The bits that @found->value has set, by name; the fields, with their values. */
void regs_put_value(const struct found *found, struct json *json);

/*
 * A line for each register that has a bit @text, is of this class, or has names that
 * the pattern or the part of one fits. False if there is none.
 */
bool regs_search(const char *text, struct json *json);

/* "0x10a-0x10f": those in it that have names. False, with a message, if that is wrong. */
bool regs_range(const char *text, struct json *json);

#endif
