/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit status of a process that is not a child of this one. */
#ifndef REGPIN_TOOL_PROC_EXIT_H
#define REGPIN_TOOL_PROC_EXIT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Fills in the status of the process @pid, which has ended, as wait(2) returns it. @pidfd
 * is of that process. Returns false if it can't be known: the process has been reaped, and
 * this kernel is older than Linux 6.15.
 */
bool proc_exit_status(pid_t pid, int pidfd, int *status);

#endif
