/* SPDX-License-Identifier: GPL-2.0-only */
/* Problems of a policy, for people. */
#ifndef REGPIN_TOOL_PROBLEMS_H
#define REGPIN_TOOL_PROBLEMS_H

#include <stdio.h>

#include "lib/policy/policy.h"

/*
 * Prints @problems by their places, a line each: "PATH:LINE:COLUMN: error:
 * TEXT". Sorts them for that.
 */
void problems_print(struct problems *problems, const char *path, FILE *file);

/* Sorts @problems by their places, as an author reads. */
void problems_sort(struct problems *problems);

#endif
