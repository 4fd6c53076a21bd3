/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMM's processes wake the agent by a futex in the shared memory: they keep no file
 * of ours, which a VMM could close, and whose number could be another file's then. A
 * futex can't be polled, so a thread turns it into an eventfd.
 */
#ifndef REGPIN_TOOL_WAKE_H
#define REGPIN_TOOL_WAKE_H

#include "handoff.h"

/* Starts the thread. @wake is the eventfd. Returns 0 or -1. */
int wake_begin(struct handoff *shared, int wake);

#endif
