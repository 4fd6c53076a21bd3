/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a process that makes a VM one whose guests can keep their pins? */
#ifndef REGPIN_TOOL_ADMIT_H
#define REGPIN_TOOL_ADMIT_H

#include "agent_state.h"

/*
 * Looks at the command line of @pid, which is about to make a VM. Returns true if it may;
 * otherwise the reason has been reported. That nothing can be known of it is reported,
 * too, and once.
 */
bool admit_process(struct agent *agent, pid_t pid);

/*
 * May @policy come into force for the VMs that there are? Not if their VMM would have
 * been refused under it: then @text gets the reason.
 */
bool admit_policy(const struct agent *agent, const struct regpin_policy *policy,
		  char *text, size_t size);

/*
 * Would this process, which has no VM yet, emulate its guest? Then @text gets the reason.
 * It may read the whole program: to be asked once for each program that a process becomes.
 */
bool admit_emulates(const struct agent *agent, pid_t pid, char *text, size_t size);

#endif
