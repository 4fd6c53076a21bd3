/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent tells, and when. */
#ifndef REGPIN_TOOL_TELL_H
#define REGPIN_TOOL_TELL_H

#include "agent.h"

/* How long a VM may run before it is odd that no vCPU has armed. */
#define TELL_UNARMED_MS	60000

/* Takes some events. Returns false if the ring is empty, true if there may be
 * more, or if there is no room for them. */
bool tell_events(struct agent *agent);

/* These do nothing where there is nothing new to tell. */
void tell_dropped(struct agent *agent);
void tell_unarmed(struct agent *agent);

/* The rules that were left out, at the start. */
void tell_degraded(struct agent *agent);

/* Writes what can be written. */
void tell_flush(struct agent *agent);

/* The VMM has ended: what is left goes out, if somebody takes it in time. */
void tell_farewell(struct agent *agent);

/* The last words: what the whole run was worth. */
void tell_end(struct agent *agent);

#endif
