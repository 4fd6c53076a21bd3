/* SPDX-License-Identifier: GPL-2.0-only */
/* Where `run --events SINK` sends the lines of events. */
#ifndef REGPIN_TOOL_SINK_H
#define REGPIN_TOOL_SINK_H

#include <stdbool.h>

struct agent;
struct launch;

enum sink_kind {
	SINK_DEFAULT,	/* no --events: on stderr, beside the messages for people */
	SINK_STDERR,	/* on stderr, and the agent's messages are events, too */
	SINK_FD,	/* a file descriptor that the caller opened */
	SINK_JOURNAL,	/* the system's journal, by its native protocol */
	SINK_FILE,	/* a file or a FIFO, by its path */
};

/**
 * struct sink - where events go
 * @kind: which kind of place
 * @fd: SINK_FD: its number
 * @text: the argument of --events, or NULL
 */
struct sink {
	enum sink_kind kind;
	int fd;
	const char *text;
};

/*
 * Finds what @text, the argument of --events, names. The names of the caller's own file
 * descriptors are recognised by their text, as they are symbolic links. To be called
 * before anything is opened, because a number that is free now could be another file's
 * later. Returns NULL, or the reason why it can't be a sink.
 */
const char *sink_find(struct sink *sink, const char *text);

/*
 * Is @sink the file that is stderr? It may be so by any name: a file descriptor that is a
 * copy, or the path of the same file. To be called before anything is opened, as above.
 */
bool sink_is_stderr(const struct sink *sink);

/*
 * Opens @sink for the agent. A file descriptor above 2 is not inherited by the VMM. Returns 0
 * or a negative errno.
 */
int sink_open(const struct sink *sink, struct launch *launch);

/*
 * Opens the agent's file of events again, by the path that it had at the start, for programs
 * that rotate logs. Returns 0, -ENOTSUP if events do not go to a file, or another negative
 * errno: then events continue in the old file.
 */
int sink_reopen(struct agent *agent);

/* Why events can't be written there. @err is an error that one of these functions returned. */
const char *sink_fault(int err);

#endif
