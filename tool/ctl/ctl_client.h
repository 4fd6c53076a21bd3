/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's side of the control protocol. */
#ifndef REGPIN_TOOL_CTL_CLIENT_H
#define REGPIN_TOOL_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl_request.h"

#define CTL_GREETING_MS	5000
#define CTL_WAIT_MS	90000	/* longer than anything takes in the agent */

/**
 * struct ctl_client - a connection to an agent
 * @fd: its socket
 * @len: bytes in @buf
 * @taken: bytes of @buf that were read as lines
 * @error: what went wrong, for people
 * @buf: what has come
 */
struct ctl_client {
	int fd;
	size_t len, taken;
	char error[256];
	char buf[2 * CTL_ANSWER_MAX];
};

/**
 * enum ctl_answer_kind - how an answer ends
 * @CTL_OK: well; @error has the rest of the line
 * @CTL_REFUSED: with an error, which is in @error
 * @CTL_LOST: there is no connection any more; @error says why
 */
enum ctl_answer_kind { CTL_OK, CTL_REFUSED, CTL_LOST };

/*
 * Connects to the agent of @name in @dir, and reads its greeting for at most @ms.
 * Returns 0; -ENOENT no socket, -ECONNREFUSED no agent behind it, -ETIMEDOUT,
 * -EACCES it wants nothing of us, -EPROTO, or another errno. @client->error is set.
 */
int client_open(struct ctl_client *client, const char *dir, const char *name,
		int ms);

void client_close(struct ctl_client *client);

/* Sends it. An error is seen when the answer is read. */
void client_send(struct ctl_client *client, const char *text, size_t len);

/*
 * Reads an answer, for at most @ms from one line to the next; -1: no limit. Calls
 * @line for each of its lines; @dropped for lines that were lost.
 */
enum ctl_answer_kind
client_answer(struct ctl_client *client, int ms, void (*line)(const char *line),
	      void (*dropped)(const char *count));

#endif
