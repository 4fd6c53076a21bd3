/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's side of the handoff (shim/handoff.h): processes that create VMs connect,
 * and get the policy and the shared memory if they are of this `run`.
 */
#ifndef REGPIN_TOOL_GIVE_H
#define REGPIN_TOOL_GIVE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "give_state.h"

struct agent;

/* Listens. Returns 0, or -1 and errno. */
int give_listen(struct give *give);

/* Takes those that have come, and answers those that ask. */
void give_run(struct agent *agent);

/*
 * One more was denied, at @now, in ms since the boot and never 0. Is an event to be made, of all in @give->denied,
 * which the caller sets to 0 then? A flood of such processes must not fill a disk.
 */
bool give_denied_due(struct give *give, uint64_t now);

/* Closes all connections. Those that had one are refused. */
void give_drop(struct give *give);

/* Fills @pfd, which has room for GIVE_POLLS. Returns how many. */
nfds_t give_poll(const struct give *give, struct pollfd *pfd);

/* Is @pid about to create a VM, and has it announced that? */
bool give_is_creating(const struct give *give, pid_t pid);

#endif
