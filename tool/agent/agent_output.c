// SPDX-License-Identifier: GPL-2.0-only
/* The agent's output: lines of events, messages on stderr. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "agent_output.h"
#include "base/clock.h"
#include "ctl_log.h"
#include "event/event_parts.h"
#include "event/event_tail.h"
#include "hook_lines.h"
#include "launch_state.h"
#include "out.h"
#include "policies.h"

const char *agent_message_text(const char *line)
{
	static const char head[] = "regpin: ";

	return strncmp(line, head, strlen(head)) == 0 ? line + strlen(head) : line;
}

static void report_message(struct agent *agent, const char *line)
{
	struct agent_event event = {
		.type = "message", .text = agent_message_text(line),
	};

	agent_report(agent, &event);
}

void agent_log(struct agent *agent, const char *format, ...)
{
	char line[2048] = "regpin: ";
	va_list ap;
	size_t len = strlen(line);
	int n;

	va_start(ap, format);
	n = vsnprintf(line + len, sizeof(line) - len - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (agent->launch->events_only ||
	    (agent->released && agent->events != agent->messages)) {
		report_message(agent, line);
		return;
	}
	len = strlen(line);
	line[len++] = '\n';
	out_line(agent->messages, line, len);
	out_flush(agent->messages);
}

/* Messages that stderr has not taken are reported as events, one for each line. */
static void report_messages(struct agent *agent)
{
	struct out *out = agent->messages;
	char *line = out->buf, *end;

	while ((end = memchr(line, '\n', out->len - (size_t)(line - out->buf)))) {
		*end = 0;
		report_message(agent, line);
		line = end + 1;
	}
	out->len = 0;
}

void agent_release_stderr(struct agent *agent)
{
	struct out *out = agent->messages;

	if (agent->released || !out->ends)
		return;
	if (agent->events == out)
		agent_log(agent, "the first process has ended and others continue: events and messages go to the system's log from now on (--events FILE: to that file)");
	out_flush(out);
	agent->released = true;
	if (agent->events == out) {
		out_to_log(out);
	} else {
		out_close(out);
		report_messages(agent);
	}
}

/* The process that has the VMs; as long as there is no VM, the first process. */
static uint32_t find_vmm(const struct agent *agent)
{
	const struct watch *watch = &agent->watch;

	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].vm)
			return (uint32_t)watch->list[i].pid;
	if (agent->vmm_pid)
		return agent->vmm_pid;
	return watch->nr ? (uint32_t)watch->list[0].pid : 0;
}

static void renew_origin(struct agent *agent)
{
	uint32_t vmm_pid = find_vmm(agent);

	if (agent->vmm_pid == vmm_pid && agent->origin[0])
		return;
	agent->vmm_pid = vmm_pid;
	event_origin(agent->origin, agent->ctl.socket.name, agent->host, vmm_pid);
}

/* A line that is lost uses up a number as well, so the gap shows the loss. */
static uint64_t next_seq(struct agent *agent)
{
	agent->seq++;
	if (agent->standby.page)
		atomic_store(&agent->standby.page->seq, agent->seq);
	return agent->seq;
}

void agent_write_line(struct agent *agent, const char *line, size_t len)
{
	const struct line_about about = { .policy = agent->launch->policy.number };

	agent_write_line_of(agent, line, len, &about);
}

void agent_write_line_of(struct agent *agent, const char *line, size_t len,
			 const struct line_about *about)
{
	char buf[EVENT_LINE_MAX];
	/* 0: the shim has named no policy, which stands for the policy in force. */
	uint32_t number = about->policy ? about->policy : agent->launch->policy.number;
	const struct event_tail tail = {
		.seq = next_seq(agent), .hold = about->hold, .origin = agent->origin,
		.policy = policies_name(agent, number), .whole = about->use & LINE_WHOLE,
		.timed = about->use & LINE_TIMED,
	};

	if (!len || len > EVENT_BODY_MAX) {	/* too long */
		agent->events->lost++;
		return;
	}
	renew_origin(agent);
	memcpy(buf, line, len);
	len = event_add_tail(buf, len, &tail);
	out_line(agent->events, buf, len);
	ctl_log_add(&agent->ctl.log, buf, len);
	if (about->use & LINE_HOOK)
		hook_add(&agent->hook, buf, len);
}

void agent_report(struct agent *agent, struct agent_event *event)
{
	const struct line_about about = {
		.policy = agent->launch->policy.number,
		.use = event->for_hook ? LINE_HOOK : 0,
	};
	char line[EVENT_LINE_MAX];
	size_t len;

	event->time = clock_wall();
	len = agent_event_json(line, event);
	if (len)
		agent_write_line_of(agent, line, len, &about);
}
