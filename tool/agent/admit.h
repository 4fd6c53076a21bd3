/* SPDX-License-Identifier: GPL-2.0-only */
/* Refuses VMMs whose options let a guest lose its pins. */
#ifndef REGPIN_TOOL_ADMIT_H
#define REGPIN_TOOL_ADMIT_H

#include "agent_state.h"

/*
 * Checks the command line of @pid, which is about to create a VM. Returns true if it may;
 * otherwise the reason has been reported. If the command line cannot be judged, the process
 * is admitted, and that is reported once for each text.
 */
bool admit_process(struct agent *agent, pid_t pid);

/*
 * May @policy come into force for the running VMs? It may not if it would have refused the
 * VMM of one of them: then @text gets the reason.
 */
bool admit_policy(const struct agent *agent, const struct regpin_policy *policy,
		  char *text, size_t size);

/*
 * Has a running VM a VMM whose S3 can't be checked, so that @policy, which does not accept S3,
 * may lose its pins? Then @text gets the reason.
 */
bool admit_unchecked(const struct agent *agent, const struct regpin_policy *policy,
		     char *text, size_t size);

/* Reports the same about the policy in force, once for each text. */
void admit_report_unchecked(struct agent *agent);

/*
 * Would this process, which has no VM yet, emulate its guest? Then @text gets the reason.
 * This may read the whole program, so call it once for each program that a process runs.
 */
bool admit_emulates(const struct agent *agent, pid_t pid, char *text, size_t size);

#endif
