/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets and connections of processes that create VMs. */
#ifndef REGPIN_TOOL_GIVE_STATE_H
#define REGPIN_TOOL_GIVE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GIVE_CONNS	64	/* processes that create a VM at the same time */
#define GIVE_POLLS	(2 + GIVE_CONNS)

/**
 * struct give_conn - a process that may ask for the policy
 * @fd: the connection, -1: a free slot
 * @pidfd: the process's pidfd
 * @pid: the process's id
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
 * struct give - the sockets by which processes connect
 * @fds: the listening sockets: the one of the inherited file, and the abstract one; -1: none
 * @file: the O_PATH file of the first one
 * @name: the name of the second one
 * @conns: the connections
 * @denied: processes refused since the last event about them
 * @denied_at: when that event was reported
 * @denied_hour: when the hour began in which @denied_lines are counted
 * @denied_lines: events about refused processes in that hour
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
