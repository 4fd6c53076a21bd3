// SPDX-License-Identifier: GPL-2.0-only
/* A set of processes, by pidfd: a process id may be another's tomorrow. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc.h"
#include "watch.h"

#define MAX_DEPTH	64	/* of a process below the one that `run` became */

static struct watched *find(struct watch *watch, pid_t pid)
{
	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].pid == pid)
			return &watch->list[i];
	return NULL;
}

/* Caller: the pidfd may be of who has got the id since it was looked at. */
static struct watched *add(struct watch *watch, pid_t pid)
{
	struct watched *process = find(watch, pid);
	int fd;

	if (process || watch->nr == WATCH_MAX || pid == getpid())
		return process;
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return NULL;
	process = &watch->list[watch->nr++];
	*process = (struct watched){ .pid = pid, .fd = fd };
	return process;
}

int watch_init(struct watch *watch, pid_t root, int lifeline)
{
	struct watched *process;
	struct stat st;

	memset(watch, 0, sizeof(*watch));
	if (fstat(lifeline, &st) < 0)
		return -errno;
	snprintf(watch->lifeline, sizeof(watch->lifeline), "pipe:[%lu]",
		 (unsigned long)st.st_ino);
	process = add(watch, root);
	if (!process)
		return -errno;
	process->root = true;
	return 0;
}

static void drop(struct watch *watch, unsigned int i)
{
	close(watch->list[i].fd);
	watch->list[i] = watch->list[--watch->nr];
}

void watch_prune(struct watch *watch)
{
	for (unsigned int i = watch->nr; i-- > 0;) {
		struct pollfd pfd = { watch->list[i].fd, POLLIN, 0 };

		if (poll(&pfd, 1, 0) == 1)
			drop(watch, i);
	}
}

/* Adds @pid, unless it is another's by the time that we hold its pidfd. */
static struct watched *add_if(struct watch *watch, pid_t pid,
			      bool (*still)(const struct watch *watch,
					    pid_t pid))
{
	unsigned int before = watch->nr;
	struct watched *process = add(watch, pid);

	if (watch->nr > before && !still(watch, pid)) {
		drop(watch, before);
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
	return proc_has_link(pid, watch->lifeline);
}

static void add_child(void *context, pid_t pid)
{
	add_if(context, pid, is_child);
}

void watch_children(struct watch *watch)
{
	/* @nr grows while this goes on: so come the children's children. */
	for (unsigned int i = 0; i < watch->nr; i++)
		proc_children(watch->list[i].pid, add_child, watch);
}

static void add_vm(void *context, pid_t pid)
{
	struct watch *watch = context;
	struct watched *process;

	if (proc_has_vm(pid) != 1 || (!find(watch, pid) && !is_holder(watch, pid)))
		return;
	process = add_if(watch, pid, is_holder);
	if (process)
		process->vm = true;
}

void watch_given(struct watch *watch, pid_t pid)
{
	struct watched *process = add(watch, pid);

	if (process)
		process->vm = true;
}

bool watch_is_ours(const struct watch *watch, pid_t pid)
{
	if (is_holder(watch, pid))
		return true;
	/* A process that dies on the way is replaced by what reaps its children. */
	for (int i = 0; i < MAX_DEPTH && pid > 1; i++) {
		for (unsigned int j = 0; j < watch->nr; j++)
			if (watch->list[j].pid == pid)
				return true;
		pid = proc_parent(pid);
	}
	return false;
}

static void add_holder(void *context, pid_t pid)
{
	struct watch *watch = context;

	if (is_holder(watch, pid))
		add_if(watch, pid, is_holder);
}

void watch_holders(struct watch *watch, bool vm)
{
	proc_all(vm ? add_vm : add_holder, watch);
}

void watch_only_vms(struct watch *watch)
{
	for (unsigned int i = watch->nr; i-- > 0;)
		if (!watch->list[i].root && !watch->list[i].vm)
			drop(watch, i);
}
