/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process beside the VMM: events out, and nothing runs without its policy.
 */
#ifndef REGPIN_TOOL_AGENT_H
#define REGPIN_TOOL_AGENT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent_state.h"
#include "ctl.h"
#include "event/event_json.h"
#include "launch.h"
#include "limit.h"
#include "moves.h"
#include "out.h"
#include "standby.h"

/* The agent's whole life, in a process of its own. */
void __attribute__((noreturn)) agent_main(struct launch *launch, pid_t vmm,
					  int start);

/*
 * A message for people, on stderr: "regpin: " and a line break are added. Once stderr
 * has been let go of it is an event, or goes to the system's log if events do.
 */
void __attribute__((format(printf, 2, 3)))
agent_say(struct agent *agent, const char *format, ...);

/*
 * The first process has ended, and others run on, as when a VMM daemonizes. A caller
 * that reads stderr to its end must not wait for these, so a pipe, a socket and a
 * terminal are let go of.
 */
void agent_release(struct agent *agent);

/* An event of the agent's own; its time is filled in. */
void agent_notice(struct agent *agent, struct notice *notice);

#endif
