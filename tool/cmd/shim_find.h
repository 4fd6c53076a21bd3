/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim that belongs to this program. */
#ifndef REGPIN_TOOL_SHIM_FIND_H
#define REGPIN_TOOL_SHIM_FIND_H

#include <limits.h>

/*
 * Without a shim of its own, regpin must not use an installed one of another version. Returns
 * 0, or an exit code after a message.
 */
int shim_refuse_missing(void);

/*
 * Finds the shim: beside the program in a build tree, otherwise where it was installed.
 * Returns 0, or an exit code after a message.
 */
int shim_find(char shim[PATH_MAX]);

#endif
