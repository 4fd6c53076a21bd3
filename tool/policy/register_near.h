/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of registers that somebody may have mistyped. */
#ifndef REGPIN_TOOL_REGISTER_NEAR_H
#define REGPIN_TOOL_REGISTER_NEAR_H

#include "lib/policy/registers.h"

#define MEANT_MAX	3	/* registers that a message proposes */

/*
 * What may have been meant by @text, which is no name: the names that have the same words
 * in the same order but for typing errors. These are a letter that is missing, too many,
 * another one, or exchanged with its neighbour: one in a word of four to seven letters, two
 * in a longer one and in all. Shorter words and numbers must be right, as with them another
 * register is too near. Of the nearest names it writes up to MEANT_MAX to @names, one for
 * each register, and returns how many there are.
 */
unsigned int register_near(const char *text,
			   char names[MEANT_MAX][REGISTER_TITLE_MAX]);

#endif
