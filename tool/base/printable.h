/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that other people chose, such as paths, for a terminal. */
#ifndef REGPIN_TOOL_PRINTABLE_H
#define REGPIN_TOOL_PRINTABLE_H

#include <stddef.h>

/*
 * Copies @text to @to, as much as fits. Control characters, characters that change the
 * direction of writing, and bytes that are not UTF-8 become escapes: \x1b, \u202e.
 * Returns @to.
 */
char *printable_copy(char *to, size_t size, const char *text);

/*
 * The same in memory that belongs to this function, and stays as it is for the next
 * three calls. Not for threads.
 */
const char *printable(const char *text);

/*
 * Prints @text to standard output in lines of up to 80 columns: the first one begins with
 * @first, the others with as many blanks.
 */
void print_wrapped(const char *first, const char *text);

#endif
