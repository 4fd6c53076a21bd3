/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process beside the VMM: events out, and nothing runs without its policy.
 */
#ifndef REGPIN_TOOL_AGENT_H
#define REGPIN_TOOL_AGENT_H

#include <sys/types.h>

struct launch;

/* The agent's whole life, in a process of its own. */
void __attribute__((noreturn)) agent_main(struct launch *launch, pid_t vmm,
					  int start);

#endif
