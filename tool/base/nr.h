/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_NR_H
#define REGPIN_TOOL_NR_H

/* How many elements @array has; it must not be a pointer. */
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

#endif
