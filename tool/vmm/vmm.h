/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the VMM's program, and whether a shim can be put under it. */
#ifndef REGPIN_TOOL_VMM_H
#define REGPIN_TOOL_VMM_H

#include <limits.h>

/*
 * Finds @name as a shell would, and writes its path (with a '/' in it) to
 * @path. Refuses a program that could not be protected. Returns 0, or an exit
 * code; then what is wrong and what to do has been said on stderr.
 */
int vmm_find(const char *name, char path[PATH_MAX]);

#endif
