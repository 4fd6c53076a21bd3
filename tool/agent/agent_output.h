/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent writes: lines of events, messages on stderr. */
#ifndef REGPIN_TOOL_AGENT_OUTPUT_H
#define REGPIN_TOOL_AGENT_OUTPUT_H

#include <stddef.h>

#include "agent_state.h"
#include "event/event_json.h"

/*
 * A message for people, on stderr: "regpin: " and a line break are added. Once stderr
 * has been let go of it is an event, or goes to the system's log if events do.
 */
void __attribute__((format(printf, 2, 3)))
agent_log(struct agent *agent, const char *format, ...);

/*
 * The first process has ended, and others run on, as when a VMM daemonizes. A caller
 * that reads stderr to its end must not wait for these, so a pipe, a socket and a
 * terminal are let go of.
 */
void agent_release_stderr(struct agent *agent);

/* An event of the agent's own; its time is filled in. */
void agent_report(struct agent *agent, struct agent_event *event);

/* A line of JSON, to where events go and to those who follow them. */
void agent_write_line(struct agent *agent, const char *line, size_t len);

#endif
