/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_PROC_STATE_H
#define REGPIN_TOOL_PROC_STATE_H

#include <sys/types.h>

/* What state a process is in, by what the kernel says of its threads. */
enum proc_state {
	PROC_RUNS,
	PROC_STOPPED,	/* by a signal, or by a debugger */
	PROC_ENDED,	/* nothing of it runs on */
};

enum proc_state proc_state(pid_t pid);

#endif
