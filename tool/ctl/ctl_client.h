/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's side of the control protocol. */
#ifndef REGPIN_TOOL_CTL_CLIENT_H
#define REGPIN_TOOL_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl_request.h"

#define CTL_GREETING_MS	5000
#define CTL_WAIT_MS	90000	/* longer than any command takes in the agent */

/**
 * struct ctl_client - a connection to an agent
 * @fd: its socket
 * @len: bytes in @buf
 * @taken: bytes of @buf that have been returned as lines
 * @error: a message for people about the last error
 * @buf: the input
 */
struct ctl_client {
	int fd;
	size_t len, taken;
	char error[256];
	char buf[2 * CTL_ANSWER_MAX];
};

/**
 * enum ctl_answer_kind - the last line of an answer
 * @CTL_OK: "ok"; @error has the rest of the line
 * @CTL_REFUSED: "error"; @error has its text
 * @CTL_LOST: the connection was lost; @error has the reason
 */
enum ctl_answer_kind { CTL_OK, CTL_REFUSED, CTL_LOST };

/*
 * Connects to the agent of @name in @dir, and waits at most @ms for its greeting. Returns 0,
 * or a negative errno and sets @client->error: -ENOENT: there is no socket; -ECONNREFUSED: no
 * agent listens on it; -EACCES: the agent refuses this user; -ETIMEDOUT, -EPROTO, or another.
 */
int client_open(struct ctl_client *client, const char *dir, const char *name,
		int ms);

void client_close(struct ctl_client *client);

/* Sends @text. An error is returned when the answer is read. */
void client_send(struct ctl_client *client, const char *text, size_t len);

/*
 * Reads an answer, and waits at most @ms for each line; -1: no limit. Calls @line for each
 * line, and @dropped for the number of lines that were lost.
 */
enum ctl_answer_kind
client_answer(struct ctl_client *client, int ms, void (*line)(const char *line),
	      void (*dropped)(const char *count));

/*
 * Reads the answer to `print`, and calls @text with pieces of the text that it has; otherwise
 * as client_answer().
 */
enum ctl_answer_kind
client_text(struct ctl_client *client, int ms,
	    void (*text)(const char *bytes, size_t len));

#endif
