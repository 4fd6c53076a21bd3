/* SPDX-License-Identifier: GPL-2.0-only */
/* Problems of a policy, printed for people. */
#ifndef REGPIN_TOOL_PROBLEMS_H
#define REGPIN_TOOL_PROBLEMS_H

#include <stdio.h>

#include "lib/policy/policy.h"

/*
 * Sorts @problems by their places, and prints each as a line "PATH:LINE:COLUMN: error: TEXT".
 */
void problems_print(struct problems *problems, const char *path, FILE *file);

/* Sorts @problems by their places. */
void problems_sort(struct problems *problems);

#endif
