/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed where a register is expected and something else stands. */
#ifndef REGPIN_TOOL_REGISTER_UNKNOWN_H
#define REGPIN_TOOL_REGISTER_UNKNOWN_H

#include <stddef.h>

#define REGISTER_UNKNOWN_MAX	400	/* room for register_unknown() */

/* Writes that @text names no register, and what may have been meant, to @to. */
void register_unknown(char *to, size_t size, const char *text);

#endif
