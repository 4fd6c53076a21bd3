/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that others have chosen, such as paths, made safe for a terminal. */
#ifndef REGPIN_TOOL_PRINTABLE_H
#define REGPIN_TOOL_PRINTABLE_H

#include <stddef.h>

/*
 * Copies as much of @text to @to as fits. Control characters, characters that change the
 * direction of writing, and bytes that are not UTF-8 become escapes: \x1b, \u202e.
 * Returns @to.
 */
char *printable_copy(char *to, size_t size, const char *text);

/*
 * The same in static memory, which is valid until the fourth call from now. Not
 * thread-safe.
 */
const char *printable(const char *text);

/*
 * Prints @text to standard output in lines of up to 80 columns: the first one begins with
 * @first, the others with as many blanks.
 */
void print_wrapped(const char *first, const char *text);

#endif
