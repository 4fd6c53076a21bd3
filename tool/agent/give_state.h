/* SPDX-License-Identifier: GPL-2.0-only */
/* Where processes that create VMs connect, and those that do just now. */
#ifndef REGPIN_TOOL_GIVE_STATE_H
#define REGPIN_TOOL_GIVE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GIVE_CONNS	64	/* processes that create a VM at the same time */
#define GIVE_POLLS	(2 + GIVE_CONNS)

/**
 * struct give_conn - a process that was welcomed
 * @fd: the connection, -1: a free slot
 * @pidfd: the process
 * @pid: likewise
 * @waiting: it has shown its VM, and waits for its policy
 * @policies: how many policies had come into force when it was admitted
 */
struct give_conn {
	int fd, pidfd;
	pid_t pid;
	bool waiting;
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

#endif
