/* SPDX-License-Identifier: GPL-2.0-only */
/* Where agents can be talked to: DIRECTORY/NAME.sock. */
#ifndef REGPIN_TOOL_CTL_SOCKET_H
#define REGPIN_TOOL_CTL_SOCKET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CTL_NAME_MAX	64	/* with its NUL */

/**
 * struct ctl_socket - an agent's socket
 * @fd: it listens; -1: there is none
 * @dir: the directory
 * @dev: the socket's file, so that only that one is removed at the end
 * @ino: likewise
 * @name: the VM's name
 */
struct ctl_socket {
	int fd, dir;
	dev_t dev;
	ino_t ino;
	char name[CTL_NAME_MAX];
};

/* Can a VM have this name? If not, it is said why. */
const char *ctl_name_fault(const char *name);

/* Is @name a word of the command line, which no VM can be called by? */
bool ctl_name_reserved(const char *name);

/* "/run/regpin" for root, else "$XDG_RUNTIME_DIR/regpin". NULL if there is none. */
const char *ctl_default_dir(char buf[PATH_MAX]);

/*
 * Makes the directory @path if need be, and listens there as @name. A socket that
 * nobody listens on any more is taken over. Returns 0, or a negative errno and
 * says in @error what is wrong and what to do.
 */
int ctl_listen(struct ctl_socket *sock, const char *path, const char *name,
	       char *error, size_t size);

/*
 * The VMM has ended, but its agent still listens: the name is free for the next VM,
 * and the socket is DIRECTORY/NAME.ended-PID.sock. Best effort.
 */
void ctl_give_up_name(struct ctl_socket *sock);

/* Is @file the name of a VM's socket? Then @name is the VM's. */
bool ctl_file_name(const char *file, char name[CTL_NAME_MAX]);

/*
 * Removes the socket of @name in @path if it was named by a process id, that process
 * is gone, and nobody listens. Returns true if it is removed.
 */
bool ctl_sweep(const char *path, const char *name);

/* Removes the socket, and closes it. */
void ctl_unlisten(struct ctl_socket *sock);

/* Connects to the agent of @name. Returns the fd, or a negative errno:
 * -ECONNREFUSED if there is a socket but no agent. */
int ctl_connect(const char *path, const char *name);

/* The same, in an open directory. */
int ctl_connect_at(int dir, const char *name);

#endif
