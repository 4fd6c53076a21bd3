/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes that the agent watches: the one that became the VMM (the root), those that
 * have VMs, and, until there is a VM, all descendants of the root.
 */
#ifndef REGPIN_TOOL_WATCH_H
#define REGPIN_TOOL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The limit of the agent's open files may reduce this number. */
#define WATCH_MAX	4096

/**
 * struct watched - a process
 * @pid: its id
 * @fd: its pidfd; readable once it has ended
 * @root: it is the process that `regpin run` became
 * @vm: it has, or had, a VM
 * @killed: it was sent SIGKILL
 * @image: its program (proc_image()) when the shim was last found in it, or 0
 * @judged: its program when it was last checked for emulation, or 0
 * @suspect: it was seen with a VM and without the shim, after the first VM
 * @ticks: how often it was seen with a VM and without a policy, before the first VM
 */
struct watched {
	pid_t pid;
	int fd;
	bool root, vm, killed, suspect;
	uint64_t image, judged;
	unsigned int ticks;
};

/**
 * struct known - a process whose files have been checked for the lifeline
 * @pid: its id
 * @ino: the inode of its directory in /proc
 * @holder: it had the lifeline open; a process without it can never get it
 */
struct known {
	pid_t pid;
	uint64_t ino;
	bool holder;
};

/**
 * struct watch - the watched processes
 * @nr: number of watched processes
 * @own: the agent's standby, which is not watched, or 0
 * @hook: the agent's hook, which is not watched, or 0
 * @lifeline: "pipe:[INODE]", a file that all descendants of the VMM have open
 * @born: when the root was started; no descendant is older
 * @last_fd: pidfds have lower numbers: some files must be left for reading /proc
 * @full: there was a process that the set had no room for
 * @vm_ended: a process that had a VM has ended
 * @has_status: @status is known
 * @status: how that process, or the root, ended, as wait(2) returns it
 * @known: all processes at the last watch_holders(), in the order of their ids
 * @nr_known: number of @known
 * @list: the processes; unused entries are never written, and cost no memory
 */
struct watch {
	unsigned int nr;
	pid_t own, hook;
	char lifeline[32];
	uint64_t born;
	int last_fd;
	bool full, vm_ended, has_status;
	int status;
	struct known *known;
	size_t nr_known;
	struct watched list[WATCH_MAX];
};

/* Starts to watch @root. @lifeline is the read end. Returns 0 or a negative errno. */
int watch_init(struct watch *watch, pid_t root, int lifeline);

/* Removes the processes that have ended. */
void watch_prune(struct watch *watch);

/* Adds all descendants of the watched processes. */
void watch_children(struct watch *watch);

/* Adds the processes that hold the lifeline; if @vm, only those with a VM. */
void watch_holders(struct watch *watch, bool vm);

/* Adds @pid, which has got the policy for its VM, and marks it as one with a VM. */
void watch_add_vm(struct watch *watch, pid_t pid);

/* Does @pid descend from a watched process, or hold the lifeline? */
bool watch_is_ours(const struct watch *watch, pid_t pid);

/* Removes all processes but the root and those with a VM. */
void watch_only_vms(struct watch *watch);

#endif
