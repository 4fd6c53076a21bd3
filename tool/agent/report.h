/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent tells, and when. */
#ifndef REGPIN_TOOL_REPORT_H
#define REGPIN_TOOL_REPORT_H

#include "agent_state.h"

/* Takes some events. Returns false if the ring is empty, true if there may be
 * more, or if there is no room for them. */
bool report_events(struct agent *agent);

/* How often the events that the ring dropped are told. */
#define REPORT_DROPPED_MS	1000

/* These do nothing where there is nothing new to tell, or, unless @all, where it
 * is not yet time to. */
void report_repeated(struct agent *agent, bool all);
void report_dropped(struct agent *agent, bool all);
void report_unarmed(struct agent *agent);

/* For how many ms from now on those have nothing to do, or -1. */
int report_sleep(const struct agent *agent);

/* From now on @policy is in force; what is still in the ring may be older. */
void report_replace_policy(struct agent *agent, const struct regpin_policy *policy);

/* What is in force other than as the policy's rules say, at the start. */
void report_mode(struct agent *agent);

/* The rules that were left out, at the start. */
void report_degraded(struct agent *agent);

/* Writes what can be written. */
void report_flush(struct agent *agent);

/* The VMM has ended: what is left goes out, if somebody takes it in time. */
void report_remaining(struct agent *agent);

/* The last words: what the whole run was worth. */
void report_summary(struct agent *agent);

#endif
