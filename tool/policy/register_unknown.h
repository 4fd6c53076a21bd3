/* SPDX-License-Identifier: GPL-2.0-only */
/* The message for a text that is not the name of a register. */
#ifndef REGPIN_TOOL_REGISTER_UNKNOWN_H
#define REGPIN_TOOL_REGISTER_UNKNOWN_H

#include <stddef.h>

#define REGISTER_UNKNOWN_MAX	400	/* room for register_unknown() */

/* Writes to @to a message that @text names no register, with what may have been meant. */
void register_unknown(char *to, size_t size, const char *text);

#endif
