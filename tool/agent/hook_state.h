/* SPDX-License-Identifier: GPL-2.0-only */
/* The hook as the agent and its standby know it. */
#ifndef REGPIN_TOOL_HOOK_STATE_H
#define REGPIN_TOOL_HOOK_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "event/event_parts.h"
#include "hook_file.h"

#define HOOK_LINES	64u	/* for one run */
#define HOOK_LIMIT_MS	10000u	/* then a run is killed */
#define HOOK_PAUSE_MS	1000u	/* from the start of a run to that of the next one */
#define HOOK_REPORT_MS	60000u	/* between two events about failures */

/* enum hook_result - how a run ended */
enum hook_result {
	HOOK_NONE,	/* there was no run yet */
	HOOK_DONE,	/* with status 0 */
	HOOK_STATUS,	/* with another status */
	HOOK_SIGNAL,	/* by a signal */
	HOOK_TIMEOUT,	/* it was killed after HOOK_LIMIT_MS */
	HOOK_UNUSABLE,	/* it could not be executed */
	HOOK_UNKNOWN,	/* the agent died meanwhile, and the standby can't find out */
	HOOK_RESULTS
};

/**
 * struct hook_page - memory that the agent, its standby and a starting hook share
 * @pid: the process that runs; 0: none. It is also the number of its process group
 * @started: when that process was started, as proc_started() has it; 0: not known yet
 * @begun: when the last run began, in ms; 0: there was none
 * @fill: bytes of @lines, and their number in the upper half
 * @more: lines for which there was no room
 * @runs, @failures: totals
 * @unreported: failures that no event has reported yet
 * @reported_at: when a failure was last reported, in ms
 * @result: enum hook_result of the last run
 * @number: its status or signal
 * @failed, @failed_number: the same of the last run that failed
 * @fault: HOOK_UNUSABLE: the reason, written by the process that could not execute the hook
 * @lines: the input of the next run, with room for one line more about @more
 */
struct hook_page {
	_Atomic uint32_t pid;
	_Atomic uint64_t started, begun, fill, more;
	_Atomic uint64_t runs, failures, unreported, reported_at;
	_Atomic uint32_t result, number, failed, failed_number;
	char fault[HOOK_FAULT_MAX];
	char lines[(HOOK_LINES + 1) * EVENT_LINE_MAX];
};

/**
 * struct hook - the program of --hook
 * @page: NULL: there is no hook
 * @fd: the pidfd of the run, or -1
 * @foreign: the run was started by an agent that has died
 * @killed: the run's time was over
 * @closing: the line about lines without room is being added
 * @ended: when the VMM ended, in ms; 0: it has not ended
 */
struct hook {
	struct hook_page *page;
	int fd;
	bool foreign, killed, closing;
	uint64_t ended;
};

#endif
