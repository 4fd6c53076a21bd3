// SPDX-License-Identifier: GPL-2.0-only
/*
 * Theory of operation: the agent forks, and the child waits for the agent's end. The child
 * has the agent's state of that moment, so nothing has to be saved and read back: when the
 * agent dies, the child returns from standby_renew() and continues as the agent. Later
 * changes are in the shared memory (the ring, the command that is carried out), are found
 * by checking again (processes), or cause another fork (policies, commands, processes with
 * VMs; counts once a second).
 *
 * Each of the two replaces the other: a child that dies is forked again. A new child is forked
 * before the one with an older state is ended, so that there is one at any time; of the two,
 * only the one that @heir names becomes the agent. Only if agent and child are killed at the
 * same moment is there no agent. Then the shim reports that: the word @agent in struct control
 * is a robust futex, which the kernel marks when the agent's thread ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent_output.h"
#include "agent_state.h"
#include "base/clock.h"
#include "ctl_clients.h"
#include "give.h"
#include "hook.h"
#include "launch_state.h"
#include "lib/end.h"
#include "out.h"
#include "standby.h"
#include "wake.h"

#define RENEW_MS	1000	/* for counts */
/* A standby that dies sooner than this may die again for the same reason. */
#define YOUNG_MS	1000
#define PAUSE_MS	200

static uint64_t tail_of(const struct agent *agent)
{
	return atomic_load(&agent->launch->shared->ring.tail);
}

/* A hash of the state that a standby could not find by checking again. */
static uint64_t stamp_of(const struct agent *agent)
{
	const uint64_t values[] = {
		agent->attached, agent->watch.nr, agent->released, agent->armed,
		agent->unarmed_reported, agent->refusal_reported, agent->ctl.policies,
		agent->ctl.command.given, agent->ctl.command.number,
		agent->start < 0, agent->reopened, agent->ctl.trial.until,
		agent->ctl.trial.try_at,
	};
	uint64_t stamp = 1;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		stamp = (stamp ^ values[i]) * 0x9e3779b97f4a7c15ull;
	return stamp;
}

/* The totals, which `status` and the last event show. */
static void totals_of(struct agent *agent, uint64_t *totals[STANDBY_COUNTS])
{
	totals[0] = &agent->violations;
	totals[1] = &agent->reports;
	totals[2] = &agent->detected;
	totals[3] = &agent->dropped;
	totals[4] = &agent->unnamed;
	totals[5] = &agent->nonsense;
	totals[6] = &agent->events->lost;
	totals[7] = &agent->outage.lost;
}

static void save_totals(struct agent *agent)
{
	uint64_t *totals[STANDBY_COUNTS];

	totals_of(agent, totals);
	for (unsigned int i = 0; i < STANDBY_COUNTS; i++)
		atomic_store(&agent->standby.page->counts[i], *totals[i]);
}

static void load_totals(struct agent *agent)
{
	uint64_t *totals[STANDBY_COUNTS];

	totals_of(agent, totals);
	for (unsigned int i = 0; i < STANDBY_COUNTS; i++)
		*totals[i] = atomic_load(&agent->standby.page->counts[i]);
	agent->seq = atomic_load(&agent->standby.page->seq);
}

static uint64_t counts_of(const struct agent *agent)
{
	return agent->violations + agent->reports + agent->detected +
	       agent->nonsense + agent->dropped + agent->budget.spent +
	       agent->budget.total;
}

/* The kernel marks @agent of struct control when this thread ends. */
static void set_robust_word(struct agent *agent)
{
	static struct robust_list entry;
	static struct robust_list_head head;
	_Atomic uint32_t *word = &agent->launch->control->agent;

	entry.next = &head.list;
	head.list.next = &entry;
	head.futex_offset = (long)((uintptr_t)word - (uintptr_t)&entry);
	atomic_store(word, (uint32_t)syscall(SYS_gettid));
	syscall(SYS_set_robust_list, &head, sizeof(head));
}

int standby_begin(struct agent *agent)
{
	struct standby *standby = &agent->standby;
	void *at = mmap(NULL, sizeof(*standby->page), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	*standby = (struct standby){ .enabled = true, .fd = -1, .pipe = -1 };
	standby->page = at;
	save_totals(agent);
	set_robust_word(agent);
	return 0;
}

static void forget_child(struct standby *standby)
{
	if (!standby->pid)
		return;
	close(standby->fd);
	close(standby->pipe);
	waitpid(standby->pid, NULL, 0);
	standby->pid = 0;
	standby->fd = standby->pipe = -1;
}

static void end_child(struct standby *standby)
{
	if (standby->pid)
		kill(standby->pid, SIGKILL);
	forget_child(standby);
}

static void report_takeover(struct agent *agent, pid_t old)
{
	uint64_t taken = tail_of(agent) - atomic_load(&agent->standby.page->written);
	struct agent_event event = {
		.type = "takeover", .pid = (uint32_t)old,
		.text = "the agent has died, and the standby has taken over: the pins were in force all the time",
		.counts[0] = { "lost", taken < RING_SLOTS ? taken : RING_SLOTS },
	};

	agent_report(agent, &event);
	agent_log(agent, "warning: the agent, process %d, has died (was it killed?), and process %d has taken over: the pins were in force all the time; up to %llu events may be lost, and clients have to connect again",
		  (int)old, (int)getpid(),
		  (unsigned long long)event.counts[0].n);
}

static void wait_for_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (poll(&pfd, 1, -1) != 1)
		;
	close(fd);
}

/* Runs in the child, and closes its copies of connections, which would keep them open. */
static void wait_and_take_over(struct agent *agent, int fd, pid_t old)
{
	uint64_t begun = clock_now();

	prctl(PR_SET_NAME, "regpin-standby");
	/* Both ends are the same file, and watch_holders() looks for that file. */
	if (agent->launch->lifeline[0] >= 0)
		close(agent->launch->lifeline[0]);
	agent->launch->lifeline[0] = -1;
	ctl_drop_clients(&agent->ctl);
	give_drop(&agent->launch->give);
	wait_for_end(fd);
	/* The agent has died while it replaced this child, or before it had replaced another. */
	if (atomic_load(&agent->standby.page->heir) != (uint32_t)getpid())
		end_process(0);
	if (clock_now() - begun < YOUNG_MS)
		poll(NULL, 0, PAUSE_MS);
	prctl(PR_SET_NAME, "regpin-agent");
	set_robust_word(agent);
	load_totals(agent);
	hook_take_over(agent);
	/* The dead agent may have written the buffered lines. `lost` counts them. */
	out_discard(agent->events);
	if (agent->messages != agent->events)
		out_discard(agent->messages);
	if (wake_begin(agent->launch->shared, agent->launch->wake) < 0)
		agent_log(agent, "warning: no thread could be started: events are written up to 1 s late");
	report_takeover(agent, old);
	agent->check_all_at = 0;
	standby_renew(agent);
}

/* In the child: the older child is the agent's, and its pipe must not stay open here. */
static void forget_sibling(struct standby *standby)
{
	if (!standby->pid)
		return;
	close(standby->fd);
	close(standby->pipe);
	standby->pid = 0;
	standby->fd = standby->pipe = -1;
}

void standby_renew(struct agent *agent)
{
	struct standby *standby = &agent->standby;
	pid_t old = getpid(), pid = -1;
	int ends[2] = { -1, -1 };

	if (!standby->enabled)
		return;
	standby->made = clock_now();
	standby->stamp = stamp_of(agent);
	standby->counts = counts_of(agent);
	if (pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0) {
		close(ends[1]);
		forget_sibling(standby);
		wait_and_take_over(agent, ends[0], old);
		return;
	}
	if (ends[0] >= 0)
		close(ends[0]);
	if (pid > 0)
		atomic_store(&standby->page->heir, (uint32_t)pid);
	end_child(standby);
	/* standby_run() tries again in a second; the agent works without a standby. */
	if (pid < 0) {
		if (ends[1] >= 0)
			close(ends[1]);
		return;
	}
	standby->pid = pid;
	/* The child holds the lifeline until it closes it, and must not count as a holder. */
	agent->watch.own = pid;
	standby->pipe = ends[1];
	standby->fd = pidfd_open(pid, 0);
}

static bool has_died(const struct standby *standby)
{
	struct pollfd pfd = { .fd = standby->fd, .events = POLLIN };

	return standby->pid && (standby->fd < 0 || poll(&pfd, 1, 0) == 1);
}

void standby_run(struct agent *agent)
{
	struct standby *standby = &agent->standby;
	bool old = clock_now() - standby->made >= RENEW_MS;

	if (!standby->enabled)
		return;
	save_totals(agent);
	if (!agent->events->len)
		atomic_store(&standby->page->written, tail_of(agent));
	if (has_died(standby))
		forget_child(standby);
	if ((!standby->pid && (old || !standby->made)) ||
	    standby->stamp != stamp_of(agent) ||
	    (old && standby->counts != counts_of(agent)))
		standby_renew(agent);
}

void standby_poll(const struct agent *agent, struct pollfd *pfd)
{
	*pfd = (struct pollfd){
		agent->standby.pid ? agent->standby.fd : -1, POLLIN, 0,
	};
}

void standby_end(struct agent *agent)
{
	if (!agent->standby.enabled)
		return;
	end_child(&agent->standby);
	agent->standby.enabled = false;
	atomic_store(&agent->launch->control->agent, 0);
}
