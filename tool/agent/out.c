// SPDX-License-Identifier: GPL-2.0-only
/* Writing lines to readers that may be slow or gone, and to files that may be full. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "journal.h"
#include "out.h"

#define RESERVE		(16ul * 1024)	/* for messages, when events fill the buffer */
#define FIFO_RETRY_MS	200

static void init(struct out *out)
{
	memset(out, 0, offsetof(struct out, buf));
	out->fd = -1;
	out->fifo = -1;
}

/* Opens the file of @fd a second time, so that the result has flags of its own. */
static int open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NOCTTY | O_CLOEXEC);
}

/* Opens @path for out_open(). On an error nothing is open. */
static int open_path(const char *path, int *ret_fd, int *ret_fifo)
{
	int fd, fifo, err = 0;
	struct stat st;

	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK |
			O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno != ENXIO)
		return -errno;
	/* ENXIO: a FIFO that has no reader yet, or a socket. */
	if (fd < 0)
		fifo = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	else
		fifo = open_again(fd, O_PATH);
	if (fifo < 0 || fstat(fifo, &st) < 0)
		err = -errno;
	else if (!S_ISFIFO(st.st_mode) && fd < 0)
		err = -ENXIO;
	if (fifo >= 0 && (err || !S_ISFIFO(st.st_mode))) {
		close(fifo);
		fifo = -1;
	}
	if (err && fd >= 0)
		close(fd);
	if (err)
		return err;
	*ret_fd = fd;
	*ret_fifo = fifo;
	return 0;
}

int out_open(struct out *out, const char *path)
{
	init(out);
	return open_path(path, &out->fd, &out->fifo);
}

int out_open_journal(struct out *out, const char *path)
{
	init(out);
	out->fd = journal_connect(path);
	if (out->fd < 0)
		return out->fd;
	out->journal = path;
	return 0;
}

/*
 * O_NONBLOCK on the VMM's own stderr would break the VMM. Pipes and terminals can be opened
 * again, with other flags. A regular file must not be opened again: the VMM would write
 * over these lines, because it would not share their offset.
 */
void out_open_fd(struct out *out, int fd)
{
	struct stat st;

	init(out);
	if (fstat(fd, &st) < 0)
		return;
	out->ends = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		out->fd = open_again(fd, O_WRONLY | O_NONBLOCK);
	if (out->fd < 0) {
		out->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		out->shared = true;
		out->socket = S_ISSOCK(st.st_mode);
	}
}

bool out_is_cut_off(const struct out *out)
{
	return (out->journal || out->log) && out->fd < 0 && out->len;
}

bool out_has_room(const struct out *out)
{
	return out->len + OUT_LINE_MAX + RESERVE <= OUT_SIZE;
}

void out_line(struct out *out, const char *line, size_t len)
{
	if (out->len + len + 1 > OUT_SIZE ||
	    (out->fd < 0 && out->fifo < 0 && !out->log && !out->journal)) {
		out->lost++;
		return;
	}
	if (out->torn && out->len == 0)
		out->buf[out->len++] = '\n';
	out->torn = false;
	memcpy(out->buf + out->len, line, len);
	out->len += len;
}

static ssize_t write_some(const struct out *out)
{
	struct pollfd pfd = { .fd = out->fd, .events = POLLOUT };
	size_t len = out->len;

	if (out->socket)
		return send(out->fd, out->buf, len,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!out->shared)
		return write(out->fd, out->buf, len);
	/* A pipe that is ready takes PIPE_BUF bytes without waiting. */
	if (poll(&pfd, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	return write(out->fd, out->buf, len < 4096 ? len : 4096);
}

static void consume(struct out *out, size_t len)
{
	out->len -= len;
	memmove(out->buf, out->buf + len, out->len);
}

void out_discard(struct out *out)
{
	out->torn = out->mid;
	out->mid = false;
	out->len = 0;
}

void out_give_up(struct out *out)
{
	for (size_t i = 0; i < out->len; i++)
		out->lost += out->buf[i] == '\n';
	out_discard(out);
}

/* The reader is gone. The rest of a line that it got in part is lost for the next reader. */
static void reader_gone(struct out *out)
{
	char *end;

	close(out->fd);
	out->fd = -1;
	if (out->fifo < 0) {
		out_give_up(out);
		return;
	}
	end = out->mid ? memchr(out->buf, '\n', out->len) : NULL;
	if (end) {
		consume(out, (size_t)(end - out->buf) + 1);
		out->lost++;
	}
	out->mid = false;
}

/* Drops the rest of a line of which the last reader got the first part. */
static void skip_part(struct out *out)
{
	char *end = out->mid ? memchr(out->buf, '\n', out->len) : NULL;

	if (end)
		consume(out, (size_t)(end - out->buf) + 1);
	out->mid = out->torn = false;
}

void out_close(struct out *out)
{
	if (out->fd >= 0)
		close(out->fd);
	if (out->fifo >= 0)
		close(out->fifo);
	out->fd = out->fifo = -1;
	out->shared = out->socket = out->ends = false;
	skip_part(out);
}

int out_reopen(struct out *out, const char *path)
{
	int fd = -1, fifo = -1, err;
	uint64_t lost = out->lost;

	err = open_path(path, &fd, &fifo);
	if (err)
		return err;
	/* The rest of a line that was begun belongs in the old file. */
	if (out->mid)
		out_flush(out);
	if (out->mid && out->lost == lost)
		out->lost++;
	out_close(out);
	out->fd = fd;
	out->fifo = fifo;
	out->torn = false;
	return 0;
}

void out_to_log(struct out *out)
{
	out_close(out);
	out->log = true;
}

static int open_log(void)
{
	const struct sockaddr_un log = { AF_UNIX, _PATH_LOG };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&log, sizeof(log)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int send_syslog(int fd, const char *line, size_t len)
{
	char text[OUT_LINE_MAX + 64];
	int n = snprintf(text, sizeof(text), "<%d>regpin[%d]: %.*s",
			 LOG_DAEMON | LOG_NOTICE, (int)getpid(), (int)len, line);

	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	return send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Sends the first line. Returns false to try later, as when the log is not running. */
static bool log_line(struct out *out)
{
	char *end = memchr(out->buf, '\n', out->len);
	size_t len = end ? (size_t)(end - out->buf) : out->len;
	int err;

	if (out->fd < 0)
		out->fd = out->journal ? journal_connect(out->journal) : open_log();
	if (out->fd < 0)
		return false;
	err = out->journal ? journal_send(out->fd, out->buf, len) :
			     send_syslog(out->fd, out->buf, len);
	if (err == -EAGAIN || err == -EINTR || err == -ENOBUFS || err == -ENOMEM)
		return false;
	if (err && err != -EMSGSIZE) {	/* the log was restarted */
		close(out->fd);
		out->fd = -1;
		return false;
	}
	out->lost += err != 0;
	out->taken += err ? 0 : len;
	consume(out, end ? len + 1 : len);
	return true;
}

int out_flush(struct out *out)
{
	while ((out->log || out->journal) && out->len)
		if (!log_line(out))
			return 0;
	while (out->len) {
		ssize_t n;

		if (out->fd < 0 && out->fifo >= 0)
			out->fd = open_again(out->fifo,
					     O_WRONLY | O_NONBLOCK);
		if (out->fd < 0)
			return 0;
		n = write_some(out);
		if (n > 0) {
			out->mid = out->buf[n - 1] != '\n';
			out->taken += (size_t)n;
			consume(out, (size_t)n);
		} else if (n < 0 && errno == EPIPE) {
			bool named = out->fifo >= 0;

			reader_gone(out);
			return named ? 0 : -EPIPE;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			int err = errno;

			out_give_up(out);
			return -err;
		} else if (n == 0 || errno == EAGAIN) {
			return 0;
		}
	}
	return 0;
}

int out_poll(const struct out *out, struct pollfd *pfd)
{
	pfd->fd = -1;
	pfd->events = POLLOUT;
	pfd->revents = 0;
	if (!out->len)
		return -1;
	if (out->log || out->journal)
		return FIFO_RETRY_MS;
	if (out->fd < 0)
		return out->fifo < 0 ? -1 : FIFO_RETRY_MS;
	pfd->fd = out->fd;
	return -1;
}
