// SPDX-License-Identifier: GPL-2.0-only
/* A set of processes, held by pidfds, because process ids are reused. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/proc_exit.h"
#include "watch.h"

#define MAX_DEPTH	64	/* generations between a process and the root */

static struct watched *find(struct watch *watch, pid_t pid)
{
	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].pid == pid)
			return &watch->list[i];
	return NULL;
}

/*
 * Adds @pid. The pid may have been reused before pidfd_open(), so the caller must check the
 * process again.
 */
static struct watched *add(struct watch *watch, pid_t pid)
{
	struct watched *process = find(watch, pid);
	int fd;

	if (process || pid == getpid() || pid == watch->own || pid == watch->hook)
		return process;
	fd = pidfd_open(pid, 0);
	if (watch->nr == WATCH_MAX || fd >= watch->last_fd ||
	    (fd < 0 && (errno == EMFILE || errno == ENFILE))) {
		if (fd >= 0)
			close(fd);
		watch->full = true;
		return NULL;
	}
	if (fd < 0)
		return NULL;
	process = &watch->list[watch->nr++];
	*process = (struct watched){ .pid = pid, .fd = fd };
	return process;
}

#define OTHER_FILES	32

/* Raises the limit of open files as far as allowed, and returns it. */
static int raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	return limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX;
}

int watch_init(struct watch *watch, pid_t root, int lifeline)
{
	struct watched *process;
	struct stat st;

	memset(watch, 0, offsetof(struct watch, list));
	watch->last_fd = raise_limit() - OTHER_FILES;
	if (fstat(lifeline, &st) < 0)
		return -errno;
	snprintf(watch->lifeline, sizeof(watch->lifeline), "pipe:[%lu]",
		 (unsigned long)st.st_ino);
	process = add(watch, root);
	if (!process)
		return -errno;
	process->root = true;
	watch->born = proc_started(root);
	return 0;
}

static void drop(struct watch *watch, unsigned int i)
{
	const struct watched *process = &watch->list[i];

	/* A wrapper may end before or after the process that had its VMs. */
	if (process->vm || (process->root && !watch->vm_ended))
		watch->has_status = proc_exit_status(process->pid, process->fd,
						     &watch->status);
	watch->vm_ended |= process->vm;
	close(process->fd);
	watch->list[i] = watch->list[--watch->nr];
}

void watch_prune(struct watch *watch)
{
	static struct pollfd pfd[WATCH_MAX];

	for (unsigned int i = 0; i < watch->nr; i++)
		pfd[i] = (struct pollfd){ watch->list[i].fd, POLLIN, 0 };
	if (poll(pfd, watch->nr, 0) <= 0)
		return;
	/* Downwards: drop() moves the last process, which was checked already, to @i. */
	for (unsigned int i = watch->nr; i-- > 0;)
		if (pfd[i].revents)
			drop(watch, i);
}

/* Adds @pid, if it is still the same process once its pidfd is open, as @still checks. */
static struct watched *add_if(struct watch *watch, pid_t pid,
			      bool (*still)(const struct watch *watch,
					    pid_t pid))
{
	unsigned int nr = watch->nr;
	struct watched *process = add(watch, pid);

	if (watch->nr > nr && !still(watch, pid)) {
		drop(watch, nr);
		return NULL;
	}
	return process;
}

static bool is_child(const struct watch *watch, pid_t pid)
{
	pid_t parent = proc_parent(pid);

	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].pid == parent)
			return true;
	return false;
}

static bool is_holder(const struct watch *watch, pid_t pid)
{
	return proc_has_link(pid, watch->lifeline) > 0;
}

static void add_child(void *context, pid_t pid)
{
	add_if(context, pid, is_child);
}

void watch_children(struct watch *watch)
{
	/* @nr grows meanwhile, so the children of children are added as well. */
	for (unsigned int i = 0; i < watch->nr; i++)
		proc_children(watch->list[i].pid, add_child, watch);
}

static void add_vm(struct watch *watch, pid_t pid)
{
	struct watched *process;

	if (proc_has_vm(pid) != 1 || (!find(watch, pid) && !is_holder(watch, pid)))
		return;
	process = add_if(watch, pid, is_holder);
	if (process)
		process->vm = true;
}

void watch_add_vm(struct watch *watch, pid_t pid)
{
	struct watched *process = add(watch, pid);

	if (process)
		process->vm = true;
}

bool watch_is_ours(const struct watch *watch, pid_t pid)
{
	if (is_holder(watch, pid))
		return true;
	/* The parent of an orphan is the process that adopted it. */
	for (int i = 0; i < MAX_DEPTH && pid > 1; i++) {
		for (unsigned int j = 0; j < watch->nr; j++)
			if (watch->list[j].pid == pid)
				return true;
		pid = proc_parent(pid);
	}
	return false;
}

/**
 * struct scan - a check of all processes of the host
 * @watch: the set to which processes are added
 * @vm: only processes with a VM are added
 * @list: all processes found, for the next scan
 * @nr, @size: their number, and the number that @list has room for
 * @at: the first entry of @watch->known that has not been compared yet
 */
struct scan {
	struct watch *watch;
	bool vm;
	struct known *list;
	size_t nr, size, at;
};

static struct known *remember(struct scan *scan, pid_t pid, uint64_t ino)
{
	struct known *list;

	if (scan->nr == scan->size) {
		list = realloc(scan->list, (scan->size + 512) * 2 * sizeof(*list));
		if (!list)
			return NULL;
		scan->list = list;
		scan->size = (scan->size + 512) * 2;
	}
	list = &scan->list[scan->nr++];
	*list = (struct known){ pid, ino, true };
	return list;
}

/* Is it known from the last scan that @pid, with this @ino, does not hold the lifeline? */
static bool is_stranger(struct scan *scan, pid_t pid, uint64_t ino)
{
	const struct watch *watch = scan->watch;

	while (scan->at < watch->nr_known && watch->known[scan->at].pid < pid)
		scan->at++;
	return scan->at < watch->nr_known && watch->known[scan->at].pid == pid &&
	       watch->known[scan->at].ino == ino &&
	       !watch->known[scan->at].holder;
}

/* Is @pid older than the root? This is cheaper than a check of all its files. */
static bool is_older(const struct watch *watch, pid_t pid)
{
	uint64_t started = proc_started(pid);

	return started && started < watch->born;
}

static void scan_one(void *context, pid_t pid, uint64_t ino)
{
	struct scan *scan = context;
	bool stranger = is_stranger(scan, pid, ino) ||
			is_older(scan->watch, pid);
	struct known *known = remember(scan, pid, ino);

	if (!stranger) {
		int held = proc_has_link(pid, scan->watch->lifeline);

		stranger = held == 0;
		if (held > 0 && scan->vm)
			add_vm(scan->watch, pid);
		else if (held > 0)
			add_if(scan->watch, pid, is_holder);
	}
	if (known)
		known->holder = !stranger;
}

void watch_holders(struct watch *watch, bool vm)
{
	struct scan scan = { .watch = watch, .vm = vm };

	proc_all(scan_one, &scan);
	free(watch->known);
	watch->known = scan.list;
	watch->nr_known = scan.nr;
}

void watch_only_vms(struct watch *watch)
{
	for (unsigned int i = watch->nr; i-- > 0;)
		if (!watch->list[i].root && !watch->list[i].vm)
			drop(watch, i);
}
