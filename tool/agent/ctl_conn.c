// SPDX-License-Identifier: GPL-2.0-only
/* One client of the agent: bytes in, bytes out. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl_conn.h"

void conn_open(struct ctl_conn *conn, int fd, uint32_t uid, uint32_t pid,
	       uint64_t id, uint64_t now)
{
	memset(conn, 0, offsetof(struct ctl_conn, in));
	conn->fd = fd;
	conn->uid = uid;
	conn->pid = pid;
	conn->id = id;
	conn->state = CONN_READY;
	conn->since = conn->moved = now;
}

void conn_close(struct ctl_conn *conn)
{
	close(conn->fd);
	conn->fd = -1;
	conn->out_len = 0;
	free(conn->body);
	conn->body = NULL;
	conn->state = CONN_FREE;
}

bool conn_wants_input(const struct ctl_conn *conn)
{
	return !conn->eof && conn->in_len < sizeof(conn->in) &&
	       (conn->state == CONN_READY || conn->state == CONN_BODY);
}

bool conn_read(struct ctl_conn *conn)
{
	ssize_t n;

	if (!conn_wants_input(conn))
		return true;
	n = recv(conn->fd, conn->in + conn->in_len,
		 sizeof(conn->in) - conn->in_len, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	conn->eof = n == 0;
	conn->in_len += (size_t)n;
	return true;
}

bool conn_flush(struct ctl_conn *conn, uint64_t now)
{
	ssize_t n;

	while (conn->out_len) {
		n = send(conn->fd, conn->out, conn->out_len,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		conn->out_len -= (size_t)n;
		memmove(conn->out, conn->out + n, conn->out_len);
		conn->moved = now;
	}
	conn->moved = now;
	return true;
}

bool conn_has_room(const struct ctl_conn *conn)
{
	return conn->out_len + CTL_ANSWER_MAX + CTL_RESERVE <=
	       sizeof(conn->out);
}

static void put(struct ctl_conn *conn, const char *format, va_list ap)
{
	size_t left = sizeof(conn->out) - conn->out_len;
	char *at = conn->out + conn->out_len;
	int n;

	if (left > CTL_ANSWER_MAX)
		left = CTL_ANSWER_MAX;
	/* The byte that vsnprintf() uses for its NUL is used for the line break. */
	n = left ? vsnprintf(at, left, format, ap) : -1;
	if (n < 0)
		return;
	if ((size_t)n >= left)
		n = (int)left - 1;
	at[n] = '\n';
	conn->out_len += (size_t)n + 1;
}

void conn_line(struct ctl_conn *conn, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(conn, format, ap);
	va_end(ap);
}

size_t conn_bytes(struct ctl_conn *conn, const char *data, size_t len)
{
	if (len > CTL_ANSWER_MAX)
		len = CTL_ANSWER_MAX;
	memcpy(conn->out + conn->out_len, data, len);
	conn->out_len += len;
	return len;
}

static void end_answer(struct ctl_conn *conn, uint64_t now)
{
	conn->since = now;
	if (conn->state != CONN_CLOSING)
		conn->state = CONN_READY;
}

void conn_ok(struct ctl_conn *conn, uint64_t now, const char *format, ...)
{
	char text[CTL_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	conn_line(conn, "ok%s%s", *text ? " " : "", text);
	end_answer(conn, now);
}

void conn_error(struct ctl_conn *conn, uint64_t now, const char *code,
		const char *format, ...)
{
	char text[CTL_TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	conn_line(conn, "error %s %s", code, text);
	end_answer(conn, now);
}

const char *conn_get_line(struct ctl_conn *conn, size_t *len)
{
	char *end = memchr(conn->in, '\n', conn->in_len);

	if (!end)
		return NULL;
	*len = (size_t)(end - conn->in);
	return conn->in;
}

void conn_consume(struct ctl_conn *conn, size_t len)
{
	conn->in_len -= len;
	memmove(conn->in, conn->in + len, conn->in_len);
}

bool conn_fill_body(struct ctl_conn *conn)
{
	size_t want = conn->request.size - conn->body_len;
	size_t n = conn->in_len < want ? conn->in_len : want;

	memcpy(conn->body + conn->body_len, conn->in, n);
	conn->body_len += n;
	conn_consume(conn, n);
	return conn->body_len == conn->request.size;
}
