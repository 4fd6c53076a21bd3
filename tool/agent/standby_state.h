/* SPDX-License-Identifier: GPL-2.0-only */
/* The standby as its agent knows it. */
#ifndef REGPIN_TOOL_STANDBY_STATE_H
#define REGPIN_TOOL_STANDBY_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct standby_page - memory that the agent and its standby share
 * @written: number of events whose lines have been written
 * @seq: number of the last line
 * @counts: the agent's totals, in the order of totals_of()
 * @heir: the child that becomes the agent when the agent dies
 */
#define STANDBY_COUNTS	8u
struct standby_page {
	_Atomic uint64_t written, seq;
	_Atomic uint64_t counts[STANDBY_COUNTS];
	_Atomic uint32_t heir;
};

/**
 * struct standby - the agent's child that waits
 * @enabled: the agent keeps such a child
 * @pid: the child's id, 0: there is none
 * @fd: the child's pidfd
 * @pipe: the agent's end of a pipe, by whose closing the child detects the agent's death
 * @made: when the child was forked, in ms
 * @stamp: a hash of the agent's state then, see stamp_of()
 * @counts: number of events that the agent had taken then
 * @page: the agent's progress since then
 */
struct standby {
	bool enabled;
	pid_t pid;
	int fd, pipe;
	uint64_t made, stamp, counts;
	struct standby_page *page;
};

#endif
