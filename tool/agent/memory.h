/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in memory, which the VMM's processes are given. */
#ifndef REGPIN_TOOL_MEMORY_H
#define REGPIN_TOOL_MEMORY_H

#include <stddef.h>

#include "lib/policy/policy.h"

/* A sealed file of @policy, or -1. Closed by the caller, and on exec. */
int memory_blob(const struct regpin_policy *policy);

/* Maps a new file of @size, which then gets @seals, too. NULL if that failed. */
void *memory_map(const char *name, size_t size, int seals, int *fd);

#endif
