/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks many agents for their state at the same time. */
#ifndef REGPIN_TOOL_CTL_ASK_H
#define REGPIN_TOOL_CTL_ASK_H

#include <stddef.h>

#include "ctl_socket.h"

/**
 * enum ctl_asked_state - an agent
 * @CTL_ALIVE: it has answered
 * @CTL_SILENT: it listens, and has not answered in time
 * @CTL_DEAD: there is a socket, and no process listens
 * @CTL_DENIED: it does not talk to this user
 * @CTL_NO_SOCKET: the socket was removed meanwhile
 * @CTL_UNASKED: no more files could be opened until the time was over
 * @CTL_STRANGE: something else answers, or another error happened
 */
enum ctl_asked_state {
	CTL_ALIVE,
	CTL_SILENT,
	CTL_DEAD,
	CTL_DENIED,
	CTL_NO_SOCKET,
	CTL_UNASKED,
	CTL_STRANGE,
};

/**
 * struct ctl_asked - an agent and its answer
 * @dir: the open directory of its socket
 * @name: the VM's name
 * @state: the result
 * @words: the answer to `status format=words`, printable; NULL: there is none; allocated
 * @fd: the connection, while it is open; otherwise -1
 * @err: why there is no connection yet, a negative errno
 * @len: bytes of @buf
 * @buf: what has been read and not been taken; allocated
 */
struct ctl_asked {
	int dir;
	char name[CTL_NAME_MAX];
	enum ctl_asked_state state;
	char *words;
	int fd, err;
	size_t len;
	char *buf;
};

/*
 * Asks all of them, of which @dir and @name are set. Takes @ms if some of them do not answer,
 * however many these are; with more than 500 agents it takes @ms for each 500.
 */
void ctl_ask_all(struct ctl_asked *list, size_t nr, int ms);

/* Frees the answer. */
void ctl_asked_free(struct ctl_asked *asked);

#endif
