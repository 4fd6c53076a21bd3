/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's ear: `regpin ctl` connects to it. Theory of operation:
 *
 * All of it runs in the agent's one loop, and nothing waits. Who may connect is
 * decided by SO_PEERCRED before a byte is read. A client is read one request at
 * a time, and the next only when the answer to the last has room; what it does
 * not take stays in its own bounded buffer, and what comes meanwhile stays in the
 * socket's. Long answers are made line by line, as there is room for them.
 *
 * Commands to the VMM go through struct control, one at a time; clients with
 * further ones wait in a queue. A command that got no answer in time is withdrawn,
 * and nothing else is given until the VMM's process has taken note of that: what
 * is in the shared memory is never changed under its eyes.
 *
 * The clock is an argument everywhere, so that tests can have their own.
 */
#ifndef REGPIN_TOOL_CTL_H
#define REGPIN_TOOL_CTL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

struct agent;

/* Begins with a socket that listens, or with none (@socket.fd is -1). */
void ctl_init(struct ctl *ctl, struct agent *agent,
	      const struct ctl_socket *socket);

/* Fills in what to wait for, CTL_POLLS at most; shortens *@timeout. */
nfds_t ctl_poll(struct ctl *ctl, struct pollfd *pfd, int *timeout,
		uint64_t now);

/* Does all there is to do now. */
void ctl_run(struct ctl *ctl, uint64_t now);

/* Takes over a connected client of these credentials, which are checked. */
void ctl_adopt(struct ctl *ctl, int fd, uint32_t uid, uint32_t pid,
	       uint64_t now);

/* The VMM has ended: no more clients, and no more commands. */
void ctl_end_commands(struct ctl *ctl);

/* Gives followers the last lines, for a moment, and closes all. */
void ctl_end(struct ctl *ctl);

#endif
