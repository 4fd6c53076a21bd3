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
#include <sys/types.h>

#define GIVE_CONNS	64	/* processes that create a VM at the same time */
#define GIVE_POLLS	(2 + GIVE_CONNS)

struct agent;

/**
 * struct give_conn - a process that was welcomed
 * @fd: the connection, -1: a free slot
 * @pidfd: the process
 * @pid: likewise
 * @asked: it has shown its VM, and waits for its answer
 * @policies: how many policies had come into force when it was admitted
 */
struct give_conn {
	int fd, pidfd;
	pid_t pid;
	bool asked;
	uint64_t policies;
};

/**
 * struct give - where processes connect
 * @fds: the listening sockets: one of the inherited file, and the abstract one; -1: none
 * @file: the first one's O_PATH file
 * @name: the second one's name
 * @conns: those that are welcome
 * @denied: those that were not, since the last event about them
 * @denied_at: when that was
 * @denied_hour: when the hour began that @denied_lines counts such events of
 */
struct give {
	int fds[2];
	int file;
	char name[48];
	struct give_conn conns[GIVE_CONNS];
	uint64_t denied, denied_at, denied_hour;
	unsigned int denied_lines;
};

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
