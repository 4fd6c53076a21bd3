/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent tells, and when. */
#ifndef REGPIN_TOOL_REPORT_H
#define REGPIN_TOOL_REPORT_H

#include "agent_state.h"

/* Takes some events. Returns false if the ring is empty, true if there may be
 * more, or if there is no room for them. */
bool tell_events(struct agent *agent);

/* How often the events that the ring dropped are told. */
#define TELL_DROPPED_MS	1000

/* These do nothing where there is nothing new to tell, or, unless @all, where it
 * is not yet time to. */
void tell_repeated(struct agent *agent, bool all);
void tell_dropped(struct agent *agent, bool all);
void tell_unarmed(struct agent *agent);

/* For how many ms from now on those have nothing to do, or -1. */
int tell_sleep(const struct agent *agent);

/* From now on @policy is in force; what is still in the ring may be older. */
void tell_new_policy(struct agent *agent, const struct regpin_policy *policy);

/* What is in force other than as the policy's rules say, at the start. */
void tell_mode(struct agent *agent);

/* The rules that were left out, at the start. */
void tell_degraded(struct agent *agent);

/* Writes what can be written. */
void tell_flush(struct agent *agent);

/* The VMM has ended: what is left goes out, if somebody takes it in time. */
void tell_farewell(struct agent *agent);

/* The last words: what the whole run was worth. */
void tell_end(struct agent *agent);

#endif
