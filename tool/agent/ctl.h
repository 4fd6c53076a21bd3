/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server side of `regpin ctl`: its clients and their limits. Theory of operation:
 *
 * All of it runs in the agent's one loop, and nothing waits. The peer's credentials
 * (SO_PEERCRED) decide whether a client may connect, before a byte is read. The agent reads
 * one request of a client at a time, and the next one only when the client's buffer has
 * room for the answer. Lines that the client does not take stay in that bounded buffer, and
 * further requests stay in the socket's. Long answers are made line by line, as there is
 * room for them.
 *
 * Commands to the VMM go through struct control, one at a time; clients with further
 * commands wait in a queue. A command without an answer in time is withdrawn, and no other
 * command is sent until the VMM's process has acknowledged that, so that struct control
 * never changes while the shim reads it.
 *
 * The clock is an argument everywhere, so that tests can supply their own.
 */
#ifndef REGPIN_TOOL_CTL_H
#define REGPIN_TOOL_CTL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

struct agent;

/* Starts to serve @socket, which listens, or no socket if its fd is -1. */
void ctl_init(struct ctl *ctl, struct agent *agent,
	      const struct ctl_socket *socket);

/* Fills in at most CTL_POLLS files to wait for, and shortens *@timeout. Returns how many. */
nfds_t ctl_poll(struct ctl *ctl, struct pollfd *pfd, int *timeout,
		uint64_t now);

/* Serves all clients and sends commands, as far as that is possible now. */
void ctl_run(struct ctl *ctl, uint64_t now);

/* Takes over a connected client, or refuses it because of its credentials. */
void ctl_adopt(struct ctl *ctl, int fd, uint32_t uid, uint32_t pid,
	       uint64_t now);

/* The VMM has ended: refuses all commands and new clients from now on. */
void ctl_end_commands(struct ctl *ctl);

/* Sends the last lines to clients for at most 500 ms, and closes all connections. */
void ctl_end(struct ctl *ctl);

#endif
