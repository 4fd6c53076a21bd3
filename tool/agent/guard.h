/* SPDX-License-Identifier: GPL-2.0-only */
/* Fails closed: ends a VMM that has a VM without its policy, or no VM in time. */
#ifndef REGPIN_TOOL_GUARD_H
#define REGPIN_TOOL_GUARD_H

#include "agent_state.h"

#define GUARD_TICK_MS	20

/* Pauses between later checks, of children and of all processes: see next_pause(). */
#define GUARD_LATE_MS		1000
#define GUARD_LATE_MAX_MS	5000
#define GUARD_ALL_MS		10000
#define GUARD_ALL_MAX_MS	60000

/* Checks all watched processes. To be called each tick until a VM has got its policy. */
void guard_tick(struct agent *agent);

/* The later checks, if one is due. To be called once a VM has got its policy. */
void guard_late(struct agent *agent);

/* Milliseconds until guard_late() has something to do. */
int guard_late_sleep(const struct agent *agent);

#endif
