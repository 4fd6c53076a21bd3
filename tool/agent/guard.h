/* SPDX-License-Identifier: GPL-2.0-only */
/* Fail closed: a VM without its policy, or none in time, ends the VMM. */
#ifndef REGPIN_TOOL_GUARD_H
#define REGPIN_TOOL_GUARD_H

#include "agent_state.h"

#define GUARD_TICK_MS	20

/* How often it looks later, and at processes that lost their parent: see next_pause(). */
#define GUARD_LATE_MS		1000
#define GUARD_LATE_MAX_MS	5000
#define GUARD_ALL_MS		10000
#define GUARD_ALL_MAX_MS	60000

/* To be called each tick until a VM has got its policy. */
void guard_tick(struct agent *agent);

/* To be called from then on; it looks if it is time to. */
void guard_late(struct agent *agent);

/* For how many ms from now on guard_late() has nothing to do. */
int guard_late_sleep(const struct agent *agent);

#endif
