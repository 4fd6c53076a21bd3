/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: what was asked for. */
#ifndef REGPIN_TOOL_REGS_FOUND_H
#define REGPIN_TOOL_REGS_FOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/registers.h"

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

#endif
