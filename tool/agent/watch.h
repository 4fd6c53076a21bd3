/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes that the agent watches: the one that became the VMM, those that
 * have VMs, and, until there is a VM, all that came from it.
 */
#ifndef REGPIN_TOOL_WATCH_H
#define REGPIN_TOOL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Fewer, if the agent may not have so many files. */
#define WATCH_MAX	4096

/**
 * struct watched - a process
 * @pid: its id
 * @fd: its pidfd; readable once it has ended
 * @root: it is what `regpin run` became
 * @vm: it has, or had, a VM
 * @killed: it was sent SIGKILL
 * @image: its program (proc_image()) when the shim was seen in it, or 0
 * @judged: its program when it was asked whether it emulates its guest, or 0
 * @suspect: it was seen with a VM and without the shim, after the first VM
 * @ticks: how often it was seen with a VM and without a policy, before that
 */
struct watched {
	pid_t pid;
	int fd;
	bool root, vm, killed, suspect;
	uint64_t image, judged;
	unsigned int ticks;
};

/**
 * struct known - a process that has been looked at for the lifeline
 * @pid: its id
 * @ino: the inode of its directory in /proc
 * @holder: it had the lifeline open; one without it never gets it
 */
struct known {
	pid_t pid;
	uint64_t ino;
	bool holder;
};

/**
 * struct watch - the set of them
 * @nr: how many
 * @own: a process of the agent's own, which is none of these, or 0
 * @lifeline: "pipe:[INODE]", which all that came from the VMM have open
 * @born: when the root was started: what came from it is not older
 * @last_fd: from this number on there are no pidfds: some files must be left to look at
 *	/proc by
 * @full: there was a process that the set had no room for
 * @known: all processes at the last watch_holders(), by rising ids
 * @nr_known: how many
 * @list: the processes; what is not in use was never written, and costs no memory
 */
struct watch {
	unsigned int nr;
	pid_t own;
	char lifeline[32];
	uint64_t born;
	int last_fd;
	bool full;
	struct known *known;
	size_t nr_known;
	struct watched list[WATCH_MAX];
};

/* Begins with @root, and with the read end of the lifeline. 0 or -errno. */
int watch_init(struct watch *watch, pid_t root, int lifeline);

/* Forgets those that have ended. */
void watch_prune(struct watch *watch);

/* Adds the children of those that are watched, and theirs. */
void watch_children(struct watch *watch);

/* Adds those that hold the lifeline; if @vm, only those with an open VM. */
void watch_holders(struct watch *watch, bool vm);

/* Adds @pid, which has got the policy for its VM. */
void watch_add_vm(struct watch *watch, pid_t pid);

/* Does @pid come from those that are watched, or hold the lifeline? */
bool watch_is_ours(const struct watch *watch, pid_t pid);

/* Keeps only the root and those with a VM. */
void watch_only_vms(struct watch *watch);

#endif
