/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_PROC_STATE_H
#define REGPIN_TOOL_PROC_STATE_H

#include <sys/types.h>

/* The state of a process, from the states of its threads. */
enum proc_state {
	PROC_RUNS,
	PROC_STOPPED,	/* by a signal, or by a debugger */
	PROC_ENDED,	/* no thread of it is left */
};

enum proc_state proc_state(pid_t pid);

#endif
