/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the VMM's program, and checks whether the shim can be preloaded into it. */
#ifndef REGPIN_TOOL_VMM_H
#define REGPIN_TOOL_VMM_H

#include <limits.h>

/*
 * Finds @name as a shell would, and writes its path (with a '/' in it) to @path. Refuses a
 * program that could not be protected. Returns 0, or an exit code after a message with the
 * reason and the remedy.
 */
int vmm_find(const char *name, char path[PATH_MAX]);

#endif
