/* SPDX-License-Identifier: GPL-2.0-only */
/* The purpose of a policy, in the words of its author. Pure. */
#ifndef REGPIN_TOOL_POLICY_PURPOSE_H
#define REGPIN_TOOL_POLICY_PURPOSE_H

#include <stddef.h>

/*
 * Writes the first sentence of the comment with which @text of @len bytes begins to @to, or ""
 * if it begins with no comment. A sentence that does not fit is cut. Returns @to, which may
 * hold any bytes but NUL and line feeds.
 */
const char *policy_purpose(char *to, size_t size, const char *text, size_t len);

#endif
