/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client of the agent: what it has sent and not been read, what it was
 * answered and has not taken. Nothing here waits.
 */
#ifndef REGPIN_TOOL_CTL_CONN_H
#define REGPIN_TOOL_CTL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl_request.h"

/* Room for the two lines that an answer ends with, when others have filled all else. */
#define CTL_TEXT_MAX	1024u
#define CTL_RESERVE	(2 * CTL_TEXT_MAX + 64u)
#define CTL_OUT_SIZE	(8u * CTL_ANSWER_MAX)

enum ctl_state {
	CONN_FREE,	/* a slot without a client */
	CONN_READY,	/* a request may come */
	CONN_BODY,	/* a policy's text comes */
	CONN_WAITING,	/* its command is with the VMM, or in the queue */
	CONN_HELP,	/* these give lines as there is room for them */
	CONN_STATUS,
	CONN_EVENTS,
	CONN_CHANGES,
	CONN_CLOSING,	/* it is told the last line */
};

/**
 * struct ctl_conn - a client
 * @fd: its socket
 * @uid: whose it is
 * @pid: likewise
 * @id: which client this is, of all that there were
 * @state: what it is in
 * @eof: it will send no more
 * @since: when it was last given an answer, or connected, in ms
 * @moved: when it last took something, or there was nothing to take
 * @request: what it wants
 * @ticket: of all that wait, the lowest is next
 * @at: CONN_HELP, STATUS, CHANGES: the next line; CONN_EVENTS: the next event
 * @end: CONN_EVENTS without follow: where it ends
 * @body: a policy's text
 * @body_len: how much of it is there
 * @proposal: the policy that it has shown, and may apply
 * @in_len: bytes in @in
 * @out_len: bytes in @out
 */
struct ctl_conn {
	int fd;
	uint32_t uid;
	uint32_t pid;
	uint64_t id;
	enum ctl_state state;
	bool eof;
	uint64_t since, moved;
	struct ctl_request request;
	uint64_t ticket, at, end;
	char *body;
	size_t body_len;
	struct ctl_proposal *proposal;
	size_t in_len, out_len;
	char in[CTL_LINE_MAX];
	char out[CTL_OUT_SIZE];
};

/* Takes a client over. */
void conn_open(struct ctl_conn *conn, int fd, uint32_t uid, uint32_t pid,
	       uint64_t id, uint64_t now);

/* Closes it, and frees all but @proposal. */
void conn_close(struct ctl_conn *conn);

/* Reads what has come. Returns false if the client is gone. */
bool conn_read(struct ctl_conn *conn);

/* Writes what can be taken. Returns false if the client is gone. */
bool conn_flush(struct ctl_conn *conn, uint64_t now);

/* Does it take more requests, or more of a body? */
bool conn_wants_input(const struct ctl_conn *conn);

/* Is there room for one more line of an answer? */
bool conn_has_room(const struct ctl_conn *conn);

/* Adds a line; too long ones are cut. Only with conn_has_room(), or to end an answer. */
void __attribute__((format(printf, 2, 3)))
conn_line(struct ctl_conn *conn, const char *format, ...);

/* Ends an answer; the next request may come. */
void __attribute__((format(printf, 3, 4)))
conn_ok(struct ctl_conn *conn, uint64_t now, const char *format, ...);
void __attribute__((format(printf, 4, 5)))
conn_error(struct ctl_conn *conn, uint64_t now, const char *code,
	   const char *format, ...);

/*
 * Takes a line out of what has come; @len is without its '\n'. Returns NULL if
 * there is no whole one. The line is good until conn_consume().
 */
const char *conn_get_line(struct ctl_conn *conn, size_t *len);
void conn_consume(struct ctl_conn *conn, size_t len);

/* Moves what has come into the body. Returns true if that is complete. */
bool conn_fill_body(struct ctl_conn *conn);

#endif
