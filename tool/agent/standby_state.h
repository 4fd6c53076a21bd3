/* SPDX-License-Identifier: GPL-2.0-only */
/* The second agent, as the first one knows it. */
#ifndef REGPIN_TOOL_STANDBY_STATE_H
#define REGPIN_TOOL_STANDBY_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct standby_page - in memory that the agent and its child both have
 * @written: number of events whose lines have been written
 * @counts: the agent's totals then, in the order of standby.c
 */
#define STANDBY_COUNTS	6u
struct standby_page {
	_Atomic uint64_t written;
	_Atomic uint64_t counts[STANDBY_COUNTS];
};

/**
 * struct standby - the agent's child that waits
 * @enabled: the agent keeps such a child
 * @pid: its id, 0: there is none
 * @fd: its pidfd
 * @pipe: the agent's end of a pipe, whose end is the agent's end
 * @made: when it was made
 * @stamp: what the agent had in hand then
 * @counts: how many events it had taken then
 * @page: what the agent has done since
 */
struct standby {
	bool enabled;
	pid_t pid;
	int fd, pipe;
	uint64_t made, stamp, counts;
	struct standby_page *page;
};

#endif
