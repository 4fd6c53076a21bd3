/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeps the text of each policy that comes into force; see policy/store.h. */
#ifndef REGPIN_TOOL_KEEP_H
#define REGPIN_TOOL_KEEP_H

struct agent;
struct launch;

/*
 * Before the start: opens the store, keeps the policy, and finds bases that have changed since
 * its last start. @choice is --store, or NULL. Returns 0, or an exit code after a message; the
 * default folder never prevents the start.
 */
int keep_begin(struct launch *launch, const char *choice);

/* At the start of the agent: reports bases that have changed, and records this start. */
void keep_report(struct agent *agent);

/* Keeps the policy that has just come into force. */
void keep_policy(struct agent *agent);

#endif
