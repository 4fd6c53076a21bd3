/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets of agents: DIRECTORY/NAME.sock. */
#ifndef REGPIN_TOOL_CTL_SOCKET_H
#define REGPIN_TOOL_CTL_SOCKET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CTL_NAME_MAX	64	/* with its NUL */

/**
 * struct ctl_socket - an agent's socket
 * @fd: the listening socket; -1: there is none
 * @dir: the directory
 * @dev: the device of the socket's file, so that only that file is removed at the end
 * @ino: the inode of the socket's file
 * @name: the VM's name
 */
struct ctl_socket {
	int fd, dir;
	dev_t dev;
	ino_t ino;
	char name[CTL_NAME_MAX];
};

/* Returns NULL if a VM may have this name; otherwise the reason for which it may not. */
const char *ctl_name_fault(const char *name);

/* Is @name a word of the command line, and so not a valid name of a VM? */
bool ctl_name_reserved(const char *name);

/* "/run/regpin" for root, otherwise "$XDG_RUNTIME_DIR/regpin"; NULL if that is not set. */
const char *ctl_default_dir(char buf[PATH_MAX]);

/*
 * Makes the directory @path if need be, and listens there as @name. A socket on which no
 * process listens any more is replaced. Returns 0, or a negative errno and writes the reason
 * and the remedy to @error.
 */
int ctl_listen(struct ctl_socket *sock, const char *path, const char *name,
	       char *error, size_t size);

/*
 * To be called when the VMM has ended and its agent still listens: frees the name for the
 * next VM by renaming the socket to DIRECTORY/NAME.ended-PID.sock. Best effort.
 */
void ctl_give_up_name(struct ctl_socket *sock);

/* Is @file the name of a VM's socket? Then the VM's name is written to @name. */
bool ctl_file_name(const char *file, char name[CTL_NAME_MAX]);

/* The process id in "4711" and "NAME.ended-4711", or 0. */
pid_t ctl_name_pid(const char *name);

/*
 * Removes the socket of @name in the open directory @dir if no process listens on it. The
 * caller knows that its VMM has ended. Returns true if the socket was removed.
 */
bool ctl_sweep(int dir, const char *name);

/* Removes the socket, and closes it. */
void ctl_unlisten(struct ctl_socket *sock);

/*
 * Connects to the agent of @name. Returns the fd, or a negative errno: -ECONNREFUSED if there
 * is a socket but no agent.
 */
int ctl_connect(const char *path, const char *name);

/* The same, in an open directory. */
int ctl_connect_at(int dir, const char *name);

/* The reason and the remedy, if @err says that no more files can be opened; otherwise NULL. */
const char *ctl_files_fault(int err);

#endif
