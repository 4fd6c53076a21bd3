// SPDX-License-Identifier: GPL-2.0-only
/*
 * stderr is replaced by a stream whose lines become events, so that no message can be
 * forgotten, whichever part of regpin prints it. Until the agent runs, this process writes
 * the events, and the agent continues their numbers. From then on only the agent writes
 * events, and gets the messages by its socket.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_output.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "event/event_json.h"
#include "event/event_parts.h"
#include "event/event_tail.h"
#include "launch_messages.h"

#define TEXT_MAX	LAUNCH_TEXT_MAX

/* The beginning of a line whose end has not been printed yet, or of a very long line. */
static char text[TEXT_MAX];
static size_t text_len;

void launch_vm_name(const struct launch *launch, char name[CTL_NAME_MAX])
{
	if (launch->name)
		snprintf(name, CTL_NAME_MAX, "%s", launch->name);
	else
		snprintf(name, CTL_NAME_MAX, "%d", (int)getpid());
}

static void write_all(const char *line, size_t len)
{
	while (len) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
}

static void write_event(struct launch *launch, const char *message)
{
	struct agent_event event = {
		.time = clock_wall(), .type = "message", .text = message,
	};
	struct event_tail tail = { .seq = ++launch->seq };
	char line[EVENT_LINE_MAX], name[CTL_NAME_MAX], host[AGENT_HOST_MAX], origin[ORIGIN_MAX];
	struct event_policy policy;
	size_t len = agent_event_json(line, &event);

	if (!len)	/* no memory: the missing number shows it */
		return;
	if (gethostname(host, sizeof(host)) < 0)
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	launch_vm_name(launch, name);
	event_origin(origin, name, host, (uint32_t)getpid());
	tail.origin = origin;
	if (launch->written.text) {
		event_policy_init(&policy, launch->written.name, launch->written.hash, NULL, NULL);
		tail.policy = &policy;
	}
	write_all(line, event_add_tail(line, len, &tail));
}

/* Reports the first @len bytes of the text, and removes them and @more bytes. */
static void report(struct launch *launch, size_t len, size_t more)
{
	char message[TEXT_MAX + 1];

	memcpy(message, text, len);
	message[len] = 0;
	if (len && launch->agent >= 0)
		send(launch->agent, message, len, MSG_NOSIGNAL);
	else if (len)
		write_event(launch, agent_message_text(message));
	text_len -= len + more;
	memmove(text, text + len + more, text_len);
}

/* A line that is too long becomes several messages, divided at a space. */
static void report_part(struct launch *launch)
{
	const char *space = memrchr(text, ' ', text_len);

	if (space && space > text)
		report(launch, (size_t)(space - text), 1);
	else
		report(launch, text_len, 0);
}

static ssize_t put(void *cookie, const char *buf, size_t size)
{
	struct launch *launch = cookie;

	for (size_t i = 0; i < size; i++) {
		if (buf[i] == '\n') {
			report(launch, text_len, 0);
			continue;
		}
		if (text_len == TEXT_MAX)
			report_part(launch);
		text[text_len++] = buf[i];
	}
	return (ssize_t)size;
}

int launch_messages_begin(struct launch *launch, const struct sink *sink)
{
	const cookie_io_functions_t functions = { .write = put };
	FILE *stream;

	launch->events_only = sink_is_stderr(sink);
	if (!launch->events_only)
		return 0;
	stream = fopencookie(launch, "w", functions);
	if (!stream) {
		fprintf(stderr, "regpin: the VMM was not started: out of memory\n");
		return EXIT_RUN;
	}
	setvbuf(stream, NULL, _IOLBF, 0);
	stderr = stream;
	return 0;
}
