/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines that wait for the hook's next run. */
#ifndef REGPIN_TOOL_HOOK_LINES_H
#define REGPIN_TOOL_HOOK_LINES_H

#include <stddef.h>

#include "hook_state.h"

/* Adds a line, if there is a hook. A line without room is counted. */
void hook_add(struct hook *hook, const char *line, size_t len);

/* The number of lines that wait, and their bytes. */
uint64_t hook_lines(const struct hook_page *page);
size_t hook_bytes(const struct hook_page *page);

/* A process has the lines as its input now. */
void hook_forget_lines(struct hook_page *page);

#endif
