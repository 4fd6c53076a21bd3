/* SPDX-License-Identifier: GPL-2.0-only */
/* Fail closed: a VM without its policy, or none in time, ends the VMM. */
#ifndef REGPIN_TOOL_GUARD_H
#define REGPIN_TOOL_GUARD_H

#include "agent.h"

#define GUARD_TICK_MS	20

/* To be called each tick until a VM has got its policy. */
void guard_tick(struct agent *agent);

#endif
