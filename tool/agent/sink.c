// SPDX-License-Identifier: GPL-2.0-only
/* Where events go: the names of sinks, and opening them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_state.h"
#include "journal.h"
#include "launch_state.h"
#include "out.h"
#include "sink.h"

/* Reads the decimal number of a file descriptor, or returns -1. */
static int read_fd(const char *text)
{
	size_t len = strlen(text);
	long number;

	if (!len || len > 9 || strspn(text, "0123456789") != len)
		return -1;
	number = strtol(text, NULL, 10);
	return (int)number;
}

/* Is @text one of the names that every process has for its own file descriptors? */
static bool find_fd(struct sink *sink, const char *text)
{
	static const char *const prefixes[] = {
		"fd:", "/dev/fd/", "/proc/self/fd/",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(text, prefixes[i], len) == 0) {
			sink->fd = read_fd(text + len);
			return true;
		}
	}
	if (strcmp(text, "/dev/stdout") == 0)
		sink->fd = 1;
	else if (strcmp(text, "/dev/stderr") == 0)
		sink->fd = 2;
	else
		return false;
	return true;
}

static const char *fd_fault(int fd)
{
	int flags, type = SOCK_STREAM;
	socklen_t len = sizeof(type);
	struct stat st;

	if (fd < 0)
		return "the number of a file descriptor must follow, as in fd:3";
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fstat(fd, &st) < 0)
		return "this file descriptor is not open";
	if (flags & O_PATH || (flags & O_ACCMODE) == O_RDONLY)
		return "this file descriptor is not open for writing";
	/* A write to an eventfd, for example, may wait although poll() reports it as ready. */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) &&
	    !S_ISCHR(st.st_mode))
		return "this file descriptor is neither a file nor a pipe, a socket or a terminal";
	/* A datagram would have to hold whole lines, and its reader could lose them. */
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type != SOCK_STREAM)
		return "this file descriptor is a socket, but no stream socket";
	return NULL;
}

const char *sink_find(struct sink *sink, const char *text)
{
	*sink = (struct sink){ .kind = SINK_DEFAULT, .fd = -1, .text = text };
	if (!text)
		return NULL;
	if (strcmp(text, "-") == 0) {
		sink->kind = SINK_STDERR;
	} else if (strcmp(text, "journal") == 0) {
		sink->kind = SINK_JOURNAL;
	} else if (find_fd(sink, text)) {
		sink->kind = sink->fd == STDERR_FILENO ? SINK_STDERR : SINK_FD;
		return fd_fault(sink->fd);
	} else {
		sink->kind = SINK_FILE;
	}
	return NULL;
}

bool sink_is_stderr(const struct sink *sink)
{
	struct stat events, messages;

	if (sink->kind == SINK_STDERR)
		return true;
	if (sink->kind == SINK_DEFAULT || sink->kind == SINK_JOURNAL ||
	    fstat(STDERR_FILENO, &messages) < 0)
		return false;
	if (sink->kind == SINK_FD ? fstat(sink->fd, &events) < 0 :
				    stat(sink->text, &events) < 0)
		return false;
	return events.st_dev == messages.st_dev && events.st_ino == messages.st_ino;
}

static int open_fd(const struct sink *sink, struct out *out)
{
	out_open_fd(out, sink->fd);
	if (out->fd < 0)
		return -EBADF;
	/* If the VMM held this file, which it does not use, the reader would see no end. */
	if (sink->fd > STDERR_FILENO)
		fcntl(sink->fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

/* The agent leaves this directory. */
static void keep_path(char kept[PATH_MAX], const char *path)
{
	char dir[PATH_MAX] = "";
	int n;

	if (*path != '/' && !getcwd(dir, sizeof(dir)))
		*dir = 0;
	n = snprintf(kept, PATH_MAX, "%s%s%s", dir, *path == '/' ? "" : "/", path);
	if (n >= PATH_MAX || (*path != '/' && *dir != '/'))
		*kept = 0;
}

int sink_open(const struct sink *sink, struct launch *launch)
{
	struct out *out = &launch->events;

	out->fd = out->fifo = -1;
	*launch->events_path = 0;
	launch->events_name = NULL;
	if (sink->kind == SINK_DEFAULT || sink->kind == SINK_STDERR)
		return 0;
	launch->events_name = sink->text;
	if (sink->kind == SINK_JOURNAL) {
		launch->events_name = "the journal's socket " JOURNAL_SOCKET;
		return out_open_journal(out, JOURNAL_SOCKET);
	}
	if (sink->kind == SINK_FD)
		return open_fd(sink, out);
	keep_path(launch->events_path, sink->text);
	return out_open(out, sink->text);
}

int sink_reopen(struct agent *agent)
{
	const char *path = agent->launch->events_path;
	int err = *path ? out_reopen(agent->events, path) : -ENOTSUP;

	if (err)
		return err;
	/* Errors from now on are about another file, so they are reported again. */
	agent->failure_reported = false;
	agent->reopened++;
	return 0;
}

const char *sink_fault(int err)
{
	if (err == -ENXIO)
		return "it is neither a file nor a FIFO";
	if (err == -ELOOP)
		return "it is a symbolic link, and those are not followed: give the file's own path (for stdout: /dev/stdout, for stderr: -)";
	return strerror(-err);
}
