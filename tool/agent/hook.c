// SPDX-License-Identifier: GPL-2.0-only
/*
 * Theory of operation: the lines for the next run are in memory that the agent shares with
 * its standby, and so is the process id of the run. A run gets all lines at once, as a sealed
 * file in memory: a hook that does not read delays no other process, and a hook whose agent
 * dies has all of its input. A line leaves the shared memory only when the process that gets
 * the line exists, so the agent's death can make a run repeat lines, and never loses one.
 *
 * The new process checks the program itself (hook_child.c), because the path may lead to a
 * file system that answers slowly.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/proc_exit.h"
#include "hook.h"
#include "hook_child.h"
#include "hook_lines.h"
#include "hook_report.h"
#include "launch_state.h"
#include "lib/end.h"
#include "memory.h"

#define REAP_MS		100	/* between checks of a run without a pidfd */
/* After the VMM's end: a run, a pause and the last run. */
#define FAREWELL_MS	(2 * HOOK_LIMIT_MS + HOOK_PAUSE_MS)

bool hook_is_used(const struct agent *agent)
{
	return agent->hook.page;
}

int hook_begin(struct agent *agent)
{
	struct hook *hook = &agent->hook;
	void *at;

	*hook = (struct hook){ .fd = -1 };
	if (!agent->launch->hook)
		return 0;
	at = mmap(NULL, sizeof(*hook->page), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -1;
	hook->page = at;
	return 0;
}

static void close_pidfd(struct hook *hook)
{
	if (hook->fd >= 0)
		close(hook->fd);
	hook->fd = -1;
}

static void forget_run(struct agent *agent)
{
	close_pidfd(&agent->hook);
	agent->hook.foreign = agent->hook.killed = false;
	agent->watch.hook = 0;
	atomic_store(&agent->hook.page->pid, 0);
}

static void start(struct agent *agent, uint64_t now)
{
	struct hook *hook = &agent->hook;
	struct hook_page *page = hook->page;
	int input;
	pid_t pid = -1;

	hook->closing = true;
	if (atomic_load(&page->more))
		hook_report_more(agent);
	hook->closing = false;
	*page->fault = 0;
	atomic_store(&page->started, 0);
	input = memory_text("regpin-hook", page->lines, hook_bytes(page));
	if (input >= 0)
		pid = fork();
	if (pid == 0)
		hook_child(agent->launch->hook, input, page);
	atomic_store(&page->begun, now);
	if (pid < 0) {
		strcpy(page->fault, "no process or no memory is left for it");
		hook_report_end(agent, HOOK_UNUSABLE, 0, now);
	} else {
		atomic_store(&page->pid, (uint32_t)pid);
		agent->watch.hook = pid;
		hook->fd = pidfd_open(pid, 0);
		atomic_fetch_add(&page->runs, 1);
		hook_forget_lines(page);
	}
	if (input >= 0)
		close(input);
}

/*
 * Ends all processes of the run that are still in its process group. A child that has not
 * been waited for, and a process that runs, keep the group's number from being used again.
 */
static void kill_group(pid_t pid)
{
	kill(-pid, SIGKILL);
}

/* Has the run ended? Its status is then in @status, or @known is false. */
static bool has_ended(struct hook *hook, pid_t pid, int *status, bool *known)
{
	struct pollfd pfd = { .fd = hook->fd, .events = POLLIN };
	siginfo_t info = { .si_pid = 0 };

	*known = true;
	if (hook->foreign) {
		if (poll(&pfd, 1, 0) != 1)
			return false;
		*known = proc_exit_status(pid, hook->fd, status);
		return true;
	}
	*known = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
	if (!*known)
		return true;
	if (info.si_pid != pid)
		return false;
	kill_group(pid);
	waitpid(pid, status, 0);
	return true;
}

static void finish(struct agent *agent, int status, bool known, uint64_t now)
{
	const struct hook *hook = &agent->hook;
	enum hook_result result = HOOK_DONE;
	unsigned int number = 0;

	if (hook->killed) {
		result = HOOK_TIMEOUT;
	} else if (!known) {
		result = HOOK_UNKNOWN;
	} else if (*hook->page->fault) {
		result = HOOK_UNUSABLE;
	} else if (WIFSIGNALED(status)) {
		result = HOOK_SIGNAL;
		number = (unsigned int)WTERMSIG(status);
	} else if (WEXITSTATUS(status)) {
		result = HOOK_STATUS;
		number = (unsigned int)WEXITSTATUS(status);
	}
	forget_run(agent);
	hook_report_end(agent, result, number, now);
}

void hook_run(struct agent *agent, uint64_t now)
{
	struct hook *hook = &agent->hook;
	struct hook_page *page = hook->page;
	bool known;
	int status = 0;	/* meaningful only if @known */
	pid_t pid;

	if (!page)
		return;
	pid = (pid_t)atomic_load(&page->pid);
	if (pid && has_ended(hook, pid, &status, &known)) {
		finish(agent, status, known, now);
		pid = 0;
	}
	if (pid && !hook->killed && now - atomic_load(&page->begun) >= HOOK_LIMIT_MS) {
		hook->killed = true;
		kill_group(pid);
	}
	if (!pid && hook_lines(page) &&
	    (!atomic_load(&page->begun) ||
	     now - atomic_load(&page->begun) >= HOOK_PAUSE_MS))
		start(agent, now);
}

void hook_poll(const struct agent *agent, struct pollfd *pfd)
{
	*pfd = (struct pollfd){
		hook_is_used(agent) ? agent->hook.fd : -1, POLLIN, 0,
	};
}

static int left_until(uint64_t due, uint64_t now)
{
	return due > now ? (int)(due - now) : 0;
}

int hook_sleep(const struct agent *agent, uint64_t now)
{
	const struct hook *hook = &agent->hook;
	const struct hook_page *page = hook->page;

	if (!page)
		return -1;
	if (atomic_load(&page->pid) && hook->fd < 0)
		return REAP_MS;
	if (atomic_load(&page->pid))
		return hook->killed ? -1 :
		       left_until(atomic_load(&page->begun) + HOOK_LIMIT_MS, now);
	if (!hook_lines(page))
		return -1;
	return atomic_load(&page->begun) ?
		       left_until(atomic_load(&page->begun) + HOOK_PAUSE_MS, now) : 0;
}

void hook_take_over(struct agent *agent)
{
	struct hook *hook = &agent->hook;
	uint64_t started;
	pid_t pid;

	if (!hook->page)
		return;
	pid = (pid_t)atomic_load(&hook->page->pid);
	started = atomic_load(&hook->page->started);
	close_pidfd(hook);
	agent->watch.hook = 0;
	hook->killed = hook->closing = false;
	hook->foreign = pid;
	if (!pid)
		return;
	/* The process may have ended, and another one may have its id now. */
	hook->fd = pidfd_open(pid, 0);
	if (hook->fd >= 0 && started && proc_started(pid) == started)
		return;
	forget_run(agent);
	atomic_store(&hook->page->result, (uint32_t)HOOK_UNKNOWN);
}

bool hook_must_wait(struct agent *agent, uint64_t now, bool more)
{
	struct hook *hook = &agent->hook;

	if (!hook->page)
		return false;
	if (!hook->ended)
		hook->ended = now ? now : 1;
	return (more || hook_lines(hook->page) || atomic_load(&hook->page->pid)) &&
	       now - hook->ended < FAREWELL_MS;
}

void hook_end(struct agent *agent)
{
	struct hook *hook = &agent->hook;

	if (!hook->page)
		return;
	hook_report_rest(agent, hook_lines(hook->page) + atomic_load(&hook->page->more));
	close_pidfd(hook);
	munmap(hook->page, sizeof(*hook->page));
	hook->page = NULL;
}
