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
#include <sys/types.h>

struct agent;

/**
 * struct standby_page - in memory that the agent and its child both have
 * @settled: how many events had been written
 * @counts: the agent's totals then, in the order of standby.c
 */
#define STANDBY_COUNTS	6u
struct standby_page {
	_Atomic uint64_t settled;
	_Atomic uint64_t counts[STANDBY_COUNTS];
};

/**
 * struct standby - the agent's child that waits
 * @on: there is to be one
 * @pid: its id, 0: there is none
 * @fd: its pidfd
 * @pipe: the agent's end of a pipe, whose end is the agent's end
 * @made: when it was made
 * @stamp: what the agent had in hand then
 * @counts: how many events it had taken then
 * @page: what the agent has done since
 */
struct standby {
	bool on;
	pid_t pid;
	int fd, pipe;
	uint64_t made, stamp, counts;
	struct standby_page *page;
};

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
