/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits of a register as lists in JSON, in the same form everywhere. */
#ifndef REGPIN_TOOL_BIT_NAMES_H
#define REGPIN_TOOL_BIT_NAMES_H

#include <stdint.h>

#include "base/json.h"

/*
 * Adds the array @key of @bits of a register, in ascending order: a string for each field or
 * bit, which is its name, or the bit's number in decimal if it has no name. A field of
 * several bits is listed once. Adds nothing if @bits is 0, or all 64 bits, which stand for
 * the whole register.
 */
void json_bit_names(struct json *json, const char *key, unsigned int kind,
		    uint32_t index, uint64_t bits);

#endif
