/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that becomes the hook. */
#ifndef REGPIN_TOOL_HOOK_CHILD_H
#define REGPIN_TOOL_HOOK_CHILD_H

#include "hook_state.h"

/*
 * Becomes @program with the file @input as its stdin, in a session of its own. If that fails,
 * the reason is in @page, and the process ends.
 */
_Noreturn void hook_child(const char *program, int input, struct hook_page *page);

#endif
