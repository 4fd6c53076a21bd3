/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's side of the handoff (shim/handoff.h): processes that create VMs connect, and
 * get the policy and the shared memory if they belong to this `run`.
 */
#ifndef REGPIN_TOOL_GIVE_H
#define REGPIN_TOOL_GIVE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "give_state.h"

struct agent;

/* Opens the listening sockets. Returns 0, or -1 and errno. */
int give_listen(struct give *give);

/* Accepts the processes that have connected, and answers their messages. */
void give_run(struct agent *agent);

/*
 * Counts one more refused process, at @now, in ms since the boot and never 0. Returns true if
 * the caller is to report @give->denied processes, and set that to 0. A flood of such
 * processes must not fill a disk.
 */
bool give_denied_due(struct give *give, uint64_t now);

/* Closes all connections; the shim then refuses to create the VM. */
void give_drop(struct give *give);

/* Fills in at most GIVE_POLLS files to wait for. Returns how many. */
nfds_t give_poll(const struct give *give, struct pollfd *pfd);

/* Has @pid announced, by a connection, that it is about to create a VM? */
bool give_is_creating(const struct give *give, pid_t pid);

#endif
