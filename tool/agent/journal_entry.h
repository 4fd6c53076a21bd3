/* SPDX-License-Identifier: GPL-2.0-only */
/* A line of events as an entry of the journal. Pure. */
#ifndef REGPIN_TOOL_JOURNAL_ENTRY_H
#define REGPIN_TOOL_JOURNAL_ENTRY_H

#include <stddef.h>

/*
 * Makes the fields of @line, which has @len bytes without a line break: REGPIN_KEY for each
 * key of the object, one for each element of an array; REGPIN_JSON, which is the line;
 * MESSAGE, MESSAGE_ID, PRIORITY and SYSLOG_IDENTIFIER. All values are framed by their
 * length, so that they may hold any bytes. A line that is not a JSON object has no
 * REGPIN_KEY. Returns a buffer of *@ret_len bytes that the caller frees, or NULL.
 */
char *journal_entry(const char *line, size_t len, size_t *ret_len);

#endif
