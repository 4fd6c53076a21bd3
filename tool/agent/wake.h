/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMM's processes wake the agent by a futex in the shared memory. A file in the VMM would
 * not be safe: the VMM could close it, and its number could become another file's. A futex
 * can't be polled, so a thread waits for it and writes to an eventfd.
 */
#ifndef REGPIN_TOOL_WAKE_H
#define REGPIN_TOOL_WAKE_H

#include "handoff.h"

/* Starts the thread, which writes to the eventfd @wake. Returns 0 or -1. */
int wake_begin(struct handoff *shared, int wake);

#endif
