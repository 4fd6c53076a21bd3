/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second agent that waits for the first one's death, with all that it needs: the
 * shared memory, the sockets, the events' file and the policy.
 */
#ifndef REGPIN_TOOL_STANDBY_H
#define REGPIN_TOOL_STANDBY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct agent;

/* From now on there is one. Returns 0 or -1. */
int standby_begin(struct agent *agent);

/*
 * Makes another one, which has what the agent has now, in the place of the one there is.
 * In the new process this returns once the agent has died: that one is the agent then.
 */
void standby_renew(struct agent *agent);

/* The same, if there is need to. To be called each time round. */
void standby_run(struct agent *agent);

/* Wakes the loop when it has died. */
void standby_poll(const struct agent *agent, struct pollfd *pfd);

/* There is nothing more to take over. */
void standby_end(struct agent *agent);

#endif
