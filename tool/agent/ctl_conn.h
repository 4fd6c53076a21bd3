/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client of the agent: input that has not been used yet, and output that the client
 * has not taken yet. Nothing here waits.
 */
#ifndef REGPIN_TOOL_CTL_CONN_H
#define REGPIN_TOOL_CTL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl_request.h"

/* Room that is kept for the two lines that end an answer. */
#define CTL_TEXT_MAX	1024u
#define CTL_RESERVE	(2 * CTL_TEXT_MAX + 64u)
#define CTL_OUT_SIZE	(8u * CTL_ANSWER_MAX)

enum ctl_state {
	CONN_FREE,	/* a slot without a client */
	CONN_READY,	/* waits for a request */
	CONN_BODY,	/* reads a policy's text */
	CONN_WAITING,	/* its command is with the VMM, or in the queue */
	CONN_HELP,	/* this and the next four: adds lines as there is room */
	CONN_TEXT,
	CONN_STATUS,
	CONN_EVENTS,
	CONN_CHANGES,
	CONN_CLOSING,	/* is closed once the client has taken the last line */
};

/**
 * struct ctl_conn - a client
 * @fd: its socket
 * @uid: the peer's user
 * @pid: the peer's process
 * @id: a number that no other client of this agent has had
 * @state: the state of the connection
 * @eof: the client has closed its sending direction
 * @since: when its last answer ended, or when it connected, in ms
 * @moved: when it last took output, or had none to take
 * @request: the request that is being answered
 * @ticket: its place in the queue; the lowest one is next
 * @at: CONN_HELP, STATUS, CHANGES: the next line; CONN_EVENTS: the next event; CONN_TEXT:
 *	the next byte of @body
 * @end: CONN_EVENTS without follow: the first event that is not sent; CONN_STATUS for
 *	`rules`: the number of the policy whose rules are listed
 * @body: a policy's text
 * @body_len: bytes of it that have been read; CONN_TEXT: its bytes
 * @proposal: the policy whose changes the client was shown, and which it may apply
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

/* Fills in a free slot for a client that has connected. */
void conn_open(struct ctl_conn *conn, int fd, uint32_t uid, uint32_t pid,
	       uint64_t id, uint64_t now);

/* Closes the connection, and frees all but @proposal. */
void conn_close(struct ctl_conn *conn);

/* Reads the input that has arrived. Returns false if the client is gone. */
bool conn_read(struct ctl_conn *conn);

/* Writes as much output as the client takes. Returns false if the client is gone. */
bool conn_flush(struct ctl_conn *conn, uint64_t now);

/* Has the connection room for a request or for more of a body? */
bool conn_wants_input(const struct ctl_conn *conn);

/* Is there room for one more line of an answer? */
bool conn_has_room(const struct ctl_conn *conn);

/*
 * Adds a line, and cuts it if it is too long. The caller has checked conn_has_room(), unless
 * the line ends an answer.
 */
void __attribute__((format(printf, 2, 3)))
conn_line(struct ctl_conn *conn, const char *format, ...);

/* Adds as many of @len bytes as a line could have. Returns their number. */
size_t conn_bytes(struct ctl_conn *conn, const char *data, size_t len);

/* End an answer; the next request may follow. */
void __attribute__((format(printf, 3, 4)))
conn_ok(struct ctl_conn *conn, uint64_t now, const char *format, ...);
void __attribute__((format(printf, 4, 5)))
conn_error(struct ctl_conn *conn, uint64_t now, const char *code,
	   const char *format, ...);

/*
 * Returns the first line of the input, and its length without '\n', or NULL if there is no
 * whole line. The line is valid until conn_consume().
 */
const char *conn_get_line(struct ctl_conn *conn, size_t *len);
void conn_consume(struct ctl_conn *conn, size_t len);

/* Moves input into the body. Returns true if the body is complete. */
bool conn_fill_body(struct ctl_conn *conn);

#endif
