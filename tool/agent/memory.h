/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in memory, which the agent gives to other processes. */
#ifndef REGPIN_TOOL_MEMORY_H
#define REGPIN_TOOL_MEMORY_H

#include <stddef.h>

#include "lib/policy/policy.h"

/*
 * Makes a sealed file with @size bytes of @text, to be read from its beginning. Returns it,
 * close-on-exec, or -1. The caller closes it.
 */
int memory_text(const char *name, const char *text, size_t size);

/* Makes a sealed file with @policy. Returns it, close-on-exec, or -1. The caller closes it. */
int memory_blob(const struct regpin_policy *policy);

/* Makes and maps a file of @size, and adds @seals. Returns NULL if that failed. */
void *memory_map(const char *name, size_t size, int seals, int *fd);

#endif
