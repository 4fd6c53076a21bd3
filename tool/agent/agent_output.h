/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's output: lines of events, messages on stderr. */
#ifndef REGPIN_TOOL_AGENT_OUTPUT_H
#define REGPIN_TOOL_AGENT_OUTPUT_H

#include <stddef.h>

#include "agent_state.h"
#include "event/event_json.h"

/*
 * Logs a message for people on stderr, with "regpin: " in front and a line break. After
 * agent_release_stderr() the message is reported as an event instead, or goes to the
 * system's log if events go there. It is always an event if stderr is for events.
 */
void __attribute__((format(printf, 2, 3)))
agent_log(struct agent *agent, const char *format, ...);

/* The text of the event `message` for @line: the line without "regpin: " in front. */
const char *agent_message_text(const char *line);

/*
 * To be called when the first process has ended and others run on, as when a VMM
 * daemonizes. Closes stderr if it is a pipe, a socket or a terminal: otherwise a program
 * that reads it to its end would wait for the daemon.
 */
void agent_release_stderr(struct agent *agent);

/* Reports an event of the agent's own; its time is filled in. */
void agent_report(struct agent *agent, struct agent_event *event);

/*
 * Writes a line of JSON of up to EVENT_BODY_MAX bytes to where events go, and to the clients
 * that follow events. The keys of event_tail.h are added, with the policy in force.
 */
void agent_write_line(struct agent *agent, const char *line, size_t len);

/* enum line_use - marks of a line */
enum line_use {
	LINE_WHOLE = 1 << 0,	/* the line has all that is known of the policy */
	LINE_HOOK = 1 << 1,	/* the hook gets it, too */
	LINE_TIMED = 1 << 2,	/* the agent gave the answer, as the time was over */
};

/**
 * struct line_about - what a line is about
 * @policy: number of the policy
 * @hold: number of the line whose event held the vCPU, or 0
 * @use: marks of enum line_use
 */
struct line_about {
	uint32_t policy;
	uint64_t hold;
	unsigned int use;
};

/* The same, for a line about @about. */
void agent_write_line_of(struct agent *agent, const char *line, size_t len,
			 const struct line_about *about);

#endif
