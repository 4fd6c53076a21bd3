/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds names of registers that resemble a mistyped one. */
#ifndef REGPIN_TOOL_REGISTER_NEAR_H
#define REGPIN_TOOL_REGISTER_NEAR_H

#include "lib/policy/registers.h"

#define MEANT_MAX	3	/* registers that a message proposes */

/*
 * Finds names that may have been meant by @text, which is not a name: those with the same
 * words in the same order, apart from typing errors. A typing error is a missing, an extra
 * or another letter, or two exchanged neighbours: one error is allowed in a word of four to
 * seven letters, two in a longer word, and two in the whole text. Shorter words and numbers
 * must be right, because they are too close to those of other registers. Writes up to
 * MEANT_MAX of the nearest names to @names, one for each register, and returns the number of
 * nearest names.
 */
unsigned int register_near(const char *text,
			   char names[MEANT_MAX][REGISTER_TITLE_MAX]);

#endif
