/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process beside the VMM, which writes events and ends a VMM that runs without its
 * policy.
 */
#ifndef REGPIN_TOOL_AGENT_H
#define REGPIN_TOOL_AGENT_H

#include <sys/types.h>

struct launch;

/* Runs the agent, in a process of its own, until the VMM has ended. */
void __attribute__((noreturn)) agent_main(struct launch *launch, pid_t vmm,
					  int start);

#endif
