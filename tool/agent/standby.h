/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fork of the agent that takes over when the agent dies. It has all that an agent needs:
 * the shared memory, the sockets, the file for events and the policy.
 */
#ifndef REGPIN_TOOL_STANDBY_H
#define REGPIN_TOOL_STANDBY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct agent;

/* Starts a standby, and enables its renewal. Returns 0 or -1. */
int standby_begin(struct agent *agent);

/*
 * Replaces the standby by a new fork, which has the agent's present state. In the new
 * process this returns once the agent has died; then that process is the agent.
 */
void standby_renew(struct agent *agent);

/* Renews the standby if need be. To be called in each round of the loop. */
void standby_run(struct agent *agent);

/* Fills in @pfd, which is ready when the standby has died. */
void standby_poll(const struct agent *agent, struct pollfd *pfd);

/* Ends the standby, as the agent itself ends. */
void standby_end(struct agent *agent);

#endif
