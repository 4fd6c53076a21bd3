/* SPDX-License-Identifier: GPL-2.0-only */
/* Which events and messages the agent writes, and when. */
#ifndef REGPIN_TOOL_REPORT_H
#define REGPIN_TOOL_REPORT_H

#include "agent_state.h"

/*
 * Reports some of the events in the ring. Returns false if the ring is empty, true if it
 * may hold more, or if there is no room for their lines.
 */
bool report_events(struct agent *agent);

/* Dropped events are reported once in this time at most. */
#define REPORT_DROPPED_MS	1000

/*
 * Report sums of repeated events, events that the ring dropped, and that no vCPU was armed
 * in time. They do nothing if there is nothing new to report, or, without @all, if it is
 * too early to report it.
 */
void report_repeated(struct agent *agent, bool all);
void report_dropped(struct agent *agent, bool all);
void report_unarmed(struct agent *agent);

/* Milliseconds until one of these has something to do, or -1 if none will. */
int report_sleep(const struct agent *agent);

/*
 * @policy is in force from now on. The previous one is kept, because events that are still
 * in the ring may name its rules.
 */
void report_replace_policy(struct agent *agent, const struct regpin_policy *policy);

/* At the start: reports the effective mode, unless it is the policy's own and enforces. */
void report_mode(struct agent *agent);

/* At the start: reports the rules that are polled or left out on this host. */
void report_degraded(struct agent *agent);

/* Writes as many lines as the readers take now. */
void report_flush(struct agent *agent);

/*
 * The VMM has ended: reports what is left in the ring and in sums, and then `detached`.
 * Lines that no reader takes within 2 s are lost, and counted.
 */
void report_remaining(struct agent *agent);

/* Logs warnings about the run as a whole. */
void report_summary(struct agent *agent);

#endif
