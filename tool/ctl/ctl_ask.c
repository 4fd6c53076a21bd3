// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request is sent with the connection, before the greeting has come: an agent reads it
 * in any case. An agent may belong to another user, and answer anything at any speed: so
 * there is one deadline for all, and the answers are made printable.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "ctl_ask.h"
#include "ctl_request.h"

#define GROUP		500u	/* asked at the same time */
#define RETRY_MS	50	/* while an agent's backlog is full, or no file can be opened */
#define BUF_SIZE	CTL_ANSWER_MAX

static void finish(struct ctl_asked *asked, enum ctl_asked_state state)
{
	asked->state = state;
	if (asked->fd >= 0)
		close(asked->fd);
	asked->fd = -1;
	free(asked->buf);
	asked->buf = NULL;
}

static bool is_open(const struct ctl_asked *asked)
{
	return asked->buf;
}

/*
 * Tries to connect. A full backlog leaves the connection to a later try, and so does a lack of
 * files: those of agents that have answered are closed.
 */
static void try_connect(struct ctl_asked *asked)
{
	static const char request[] = "status format=words\n";
	int fd = ctl_connect_at(asked->dir, asked->name);

	asked->err = fd;
	if (fd == -EAGAIN || ctl_files_fault(fd))
		return;
	if (fd < 0) {
		finish(asked, fd == -ECONNREFUSED ? CTL_DEAD : fd == -EACCES ? CTL_DENIED :
		       fd == -ENOENT ? CTL_NO_SOCKET : CTL_STRANGE);
		return;
	}
	asked->fd = fd;
	/* A new connection has room for the request. */
	if (send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EPIPE)
		finish(asked, CTL_STRANGE);
}

static void begin(struct ctl_asked *asked)
{
	asked->fd = -1;
	asked->len = 0;
	asked->words = NULL;
	asked->buf = malloc(BUF_SIZE);
	if (!asked->buf)
		finish(asked, CTL_STRANGE);
	else
		try_connect(asked);
}

static void take_line(struct ctl_asked *asked, char *line)
{
	int version;

	make_printable(line);
	if (strncmp(line, "error denied ", 13) == 0) {
		finish(asked, CTL_DENIED);
	} else if (strncmp(line, "error busy ", 11) == 0) {
		finish(asked, CTL_SILENT);
	} else if (strncmp(line, "data ", 5) == 0 && !asked->words) {
		asked->words = strdup(line + 5);
	} else if (strncmp(line, "ok", 2) == 0 || strncmp(line, "error ", 6) == 0) {
		/* An agent of an older version may not know this request. */
		finish(asked, CTL_ALIVE);
	} else if (sscanf(line, "regpin-ctl %d ", &version) == 1 && version != CTL_VERSION) {
		finish(asked, CTL_STRANGE);
	}
}

static void read_some(struct ctl_asked *asked)
{
	ssize_t n = recv(asked->fd, asked->buf + asked->len, BUF_SIZE - asked->len,
			 MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* It has ended just now, or was killed. */
		finish(asked, CTL_STRANGE);
		return;
	}
	asked->len += (size_t)n;
	while (is_open(asked) && (end = memchr(asked->buf, '\n', asked->len))) {
		size_t len = (size_t)(end - asked->buf) + 1;

		*end = 0;
		take_line(asked, asked->buf);
		if (!is_open(asked))
			return;
		asked->len -= len;
		memmove(asked->buf, asked->buf + len, asked->len);
	}
	if (asked->len == BUF_SIZE)
		finish(asked, CTL_STRANGE);
}

/* Waits for the next answer, for a later try or for @deadline, and takes what has come. */
static void wait_some(struct ctl_asked *list, size_t nr, uint64_t deadline)
{
	static struct pollfd pfd[GROUP];
	uint64_t now = clock_now();
	uint64_t left = deadline > now ? deadline - now : 0;

	for (size_t i = 0; i < nr; i++) {
		if (is_open(&list[i]) && list[i].fd < 0) {
			try_connect(&list[i]);
			left = left < RETRY_MS ? left : RETRY_MS;
		}
		pfd[i] = (struct pollfd){ is_open(&list[i]) ? list[i].fd : -1, POLLIN, 0 };
	}
	if (poll(pfd, nr, (int)left) <= 0)
		return;
	for (size_t i = 0; i < nr; i++)
		if (pfd[i].fd >= 0 && pfd[i].revents)
			read_some(&list[i]);
}

static bool is_any_open(const struct ctl_asked *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (is_open(&list[i]))
			return true;
	return false;
}

static void ask_group(struct ctl_asked *list, size_t nr, int ms)
{
	uint64_t deadline = clock_now() + (uint64_t)ms;

	for (size_t i = 0; i < nr; i++)
		begin(&list[i]);
	while (is_any_open(list, nr) && clock_now() < deadline)
		wait_some(list, nr, deadline);
	for (size_t i = 0; i < nr; i++)
		if (is_open(&list[i]))
			finish(&list[i], list[i].fd < 0 && ctl_files_fault(list[i].err) ?
			       CTL_UNASKED : CTL_SILENT);
}

void ctl_ask_all(struct ctl_asked *list, size_t nr, int ms)
{
	for (size_t at = 0; at < nr; at += GROUP)
		ask_group(list + at, nr - at < GROUP ? nr - at : GROUP, ms);
}

void ctl_asked_free(struct ctl_asked *asked)
{
	free(asked->words);
	asked->words = NULL;
}
