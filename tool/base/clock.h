/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks. */
#ifndef REGPIN_TOOL_CLOCK_H
#define REGPIN_TOOL_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t clock_now(void);

/* Nanoseconds of CLOCK_REALTIME. */
uint64_t clock_wall(void);

#endif
