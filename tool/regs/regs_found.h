/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `regpin regs`: the register that was asked for. */
#ifndef REGPIN_TOOL_REGS_FOUND_H
#define REGPIN_TOOL_REGS_FOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/registers.h"

/**
 * struct found - the register that was asked for
 * @reg: its row; NULL: an MSR without a row
 * @index: the MSR's index
 * @family: the whole row is meant, with all its members
 * @decode: @value is to be explained as well
 */
struct found {
	const struct regpin_register *reg;
	uint32_t index;
	bool family, decode;
	uint64_t value;
};

#endif
