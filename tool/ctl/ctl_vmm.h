/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DIRECTORY/NAME.vmm: the processes of the VM NAME, for the time after its agent's death. It
 * is a symbolic link, because that is read and replaced as a whole. Its target has the PID
 * namespace and each process with its start time: "4026531836:4711-58023,4712-58101".
 */
#ifndef REGPIN_TOOL_CTL_VMM_H
#define REGPIN_TOOL_CTL_VMM_H

#include <sys/types.h>

#define CTL_VMM_MAX	64	/* processes; of a VMM with more it is not known whether it runs */

/* Is the VMM of a dead agent still there? CTL_VMM_NO_LINK: it is unknown, without a link. */
enum ctl_vmm_state { CTL_VMM_GONE, CTL_VMM_RUNS, CTL_VMM_UNKNOWN, CTL_VMM_NO_LINK };

/* Writes the link for @name in @dir. Best effort: without it the state is unknown. */
void ctl_vmm_write(int dir, const char *name, const pid_t *pids, unsigned int nr);

void ctl_vmm_remove(int dir, const char *name);

/* The state of the processes of @name, and the first one that runs in @pid, if it is known. */
enum ctl_vmm_state ctl_vmm_read(int dir, const char *name, pid_t *pid);

#endif
