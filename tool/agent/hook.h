/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operator's program (run --hook), which the agent runs with lines of events as its
 * input. The agent never waits for it.
 */
#ifndef REGPIN_TOOL_HOOK_H
#define REGPIN_TOOL_HOOK_H

#include <poll.h>

#include "agent_state.h"

/* Is there a hook? */
bool hook_is_used(const struct agent *agent);

/* Makes the memory for the hook, if `run` named one. Returns 0 or -1. */
int hook_begin(struct agent *agent);

/* Notices that the run has ended, or that its time is over, and starts the next one. */
void hook_run(struct agent *agent, uint64_t now);

/* Fills in @pfd, which is ready when the run has ended. */
void hook_poll(const struct agent *agent, struct pollfd *pfd);

/* Milliseconds until hook_run() has something to do, or -1. */
int hook_sleep(const struct agent *agent, uint64_t now);

/* In the standby, which is the agent from now on: continues with the dead agent's run. */
void hook_take_over(struct agent *agent);

/*
 * To be called when the VMM has ended, and each time after that. @more: more events are to be
 * read. Returns true as long as the hook runs, or has lines to get, and its time is not over.
 */
bool hook_must_wait(struct agent *agent, uint64_t now, bool more);

/* Reports what no event has reported yet, and frees the memory. */
void hook_end(struct agent *agent);

#endif
