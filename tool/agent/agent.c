// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's loop. Theory of operation:
 *
 * It polls pidfds of the VMM's processes; connections of processes that ask for the policy
 * (give.h); the eventfd that wakes it when the ring has events (wake.h); a clock, of 20 ms
 * until the first VM is attached, of 1 s later (guard.c); and the clients of `regpin ctl`
 * (ctl.h). It never waits for a reader of its lines: it takes events from the ring only
 * while there is room for their lines, and the ring drops the rest.
 *
 * It ends when neither the process that `run` became nor a process with a VM is left. If
 * there has been no VM, it ends when no process holds the lifeline any more, because a VMM
 * may fork and let its first process end. Everything in shared memory may come from a
 * compromised VMM, so numbers are checked before use.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "agent_output.h"
#include "agent_state.h"
#include "base/clock.h"
#include "ctl.h"
#include "ctl/ctl_vmm.h"
#include "give.h"
#include "guard.h"
#include "hook.h"
#include "keep.h"
#include "launch_messages.h"
#include "launch_state.h"
#include "lib/end.h"
#include "limit.h"
#include "moves.h"
#include "out.h"
#include "policies.h"
#include "report.h"
#include "rule_counts.h"
#include "standby.h"
#include "timed.h"
#include "wake.h"

/* Names the VMM's processes for `regpin list`, which reads that once the agent is dead. */
static void note_vmm(const struct agent *agent)
{
	const struct watch *watch = &agent->watch;
	pid_t pids[WATCH_MAX];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].root || watch->list[i].vm)
			pids[nr++] = watch->list[i].pid;
	if (agent->ctl.socket.fd >= 0)
		ctl_vmm_write(agent->ctl.socket.dir, agent->ctl.socket.name, pids, nr);
}

/* Notes that VMs got their policy since the last call. */
static void update_attached(struct agent *agent)
{
	uint32_t attached = atomic_load(&agent->launch->shared->attached);

	if (attached == agent->attached)
		return;
	if (!agent->attached) {
		agent->attached_at = clock_now();
		if (agent->launch->seen >= 0 &&
		    write(agent->launch->seen, "", 1) < 0)
			agent_log(agent, "the parent of --require-vm has ended");
		agent->check_all_at = agent->attached_at + GUARD_ALL_MS;
	}
	/* give.c has marked each process that got a policy as one with a VM. */
	watch_only_vms(&agent->watch);
	agent->attached = attached ? attached : 1;
	note_vmm(agent);
}

static bool is_root_running(const struct watch *watch)
{
	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].root)
			return true;
	return false;
}

/* Is a process left that the agent has to watch? */
static bool is_vmm_running(struct agent *agent)
{
	struct watch *watch = &agent->watch;

	watch_prune(watch);
	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].root || watch->list[i].vm)
			return true;
	if (agent->attached || watch->nr == 0)
		watch_holders(watch, agent->attached);
	return watch->nr;
}

static bool must_go_on(struct agent *agent)
{
	bool lives = is_vmm_running(agent);

	if (lives && !is_root_running(&agent->watch))
		agent_release_stderr(agent);
	return lives;
}

static int shorter(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

/* How long the agent may sleep in ms if nothing happens; -1: forever. */
static int longest_sleep(struct agent *agent)
{
	uint64_t now = clock_now();
	int timeout;

	if (!agent->attached)
		return agent->tick_ms;
	timeout = shorter(guard_late_sleep(agent), report_sleep(agent));
	timeout = shorter(timeout, hook_sleep(agent, now));
	timeout = shorter(timeout, timed_sleep(agent, now));
	return shorter(timeout, moves_sleep(&agent->moves, now));
}

/*
 * The launcher's exec closes the socket. If the exec fails, the launcher sends a byte 0; and
 * before that its messages, if stderr is for events. Returns false if there will be no VMM.
 */
static bool hear_launcher(struct agent *agent)
{
	char text[LAUNCH_TEXT_MAX + 1];
	ssize_t n = recv(agent->start, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n > 0 && *text) {
		text[n] = 0;
		agent_log(agent, "%s", agent_message_text(text));
		return true;
	}
	if (n > 0)
		return false;
	close(agent->start);
	agent->start = -1;
	return true;
}

/* Sleeps until something happens. Returns false if the launcher's exec failed. */
static bool wait_for_work(struct agent *agent, bool more)
{
	struct ring *ring = &agent->launch->shared->ring;
	struct pollfd pfd[WATCH_MAX + 6 + CTL_POLLS + GIVE_POLLS];
	bool room = out_has_room(agent->events);
	int timeout = longest_sleep(agent);
	uint64_t wakes;
	nfds_t nr = 4;

	/* The VMM wakes the agent for events, and when it has carried out a command. */
	pfd[0] = (struct pollfd){
		room || agent->ctl.command.given ? agent->launch->wake : -1, POLLIN, 0,
	};
	pfd[1] = (struct pollfd){ agent->start, POLLIN, 0 };
	timeout = shorter(timeout, out_poll(agent->events, &pfd[2]));
	timeout = shorter(timeout, out_poll(agent->messages, &pfd[3]));
	for (unsigned int i = 0; i < agent->watch.nr; i++)
		pfd[nr++] = (struct pollfd){ agent->watch.list[i].fd, POLLIN, 0 };
	nr += ctl_poll(&agent->ctl, pfd + nr, &timeout, clock_now());
	nr += give_poll(&agent->launch->give, pfd + nr);
	standby_poll(agent, &pfd[nr++]);
	hook_poll(agent, &pfd[nr++]);
	if (room && (more || !ring_sleep(ring)))
		timeout = 0;
	poll(pfd, nr, timeout);
	ring_awake(ring);
	if (pfd[0].revents && read(agent->launch->wake, &wakes, 8) < 0)
		wakes = 0;
	return !pfd[1].revents || hear_launcher(agent);
}

/* The VMM has ended. Must the loop continue until the hook has got the remaining lines? */
static bool hook_goes_on(struct agent *agent, bool more)
{
	if (!hook_is_used(agent))
		return false;
	if (!more) {
		report_repeated(agent, true);
		report_dropped(agent, true);
	}
	if (!hook_must_wait(agent, clock_now(), more && out_has_room(agent->events)))
		return false;
	ctl_give_up_name(&agent->ctl.socket);
	return true;
}

static void loop(struct agent *agent)
{
	bool more = false;

	report_mode(agent);
	report_degraded(agent);
	keep_report(agent);
	do {
		report_flush(agent);
		standby_run(agent);
		if (!wait_for_work(agent, more)) {
			report_flush(agent);
			standby_end(agent);
			ctl_unlisten(&agent->ctl.socket);
			end_process(0);
		}
		/*
		 * To be done before @attached is read: a process whose connection is found
		 * closed here has counted itself in @attached by then.
		 */
		give_run(agent);
		more = report_events(agent);
		report_repeated(agent, false);
		report_dropped(agent, false);
		update_attached(agent);
		if (agent->attached)
			guard_late(agent);
		else if (agent->start < 0)
			guard_tick(agent);
		report_unarmed(agent);
		ctl_run(&agent->ctl, clock_now());
		moves_run(agent, clock_now());
		hook_run(agent, clock_now());
	} while (must_go_on(agent) || moves_must_wait(agent, clock_now()) ||
		 hook_goes_on(agent, more));
	/* All processes have ended. Their actions since the last round count as well. */
	give_run(agent);
	update_attached(agent);
	standby_end(agent);
	ctl_end_commands(&agent->ctl);
	hook_end(agent);
	report_remaining(agent);
	ctl_end(&agent->ctl);
	report_summary(agent);
	for (int i = 0; i < 40 && agent->messages->len; i++) {
		poll(NULL, 0, 50);
		out_flush(agent->messages);
	}
}

/* Ignores the signals that end the VMM: the agent has to outlive it. */
static void init_process(void)
{
	static const int ignored[] = {
		SIGINT, SIGHUP, SIGTERM, SIGPIPE, SIGXFSZ,
	};
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* If SIGCHLD stayed ignored, no status of a child could be read. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "regpin-agent");
}

/* Closes all files that the agent does not need, and stderr: @messages has its own. */
static void close_others(const struct agent *agent)
{
	const struct launch *l = agent->launch;
	const int keep[] = {
		l->wake, l->lifeline[0], l->events.fd, l->events.fifo,
		agent->start, agent->messages->fd, agent->watch.list[0].fd,
		l->socket.fd, l->socket.dir, l->memory, l->orders,
		l->give.fds[0], l->give.fds[1], l->seen,
		l->store.open ? l->store.folder.fd : -1, l->store.open ? l->store.lock : -1,
	};
	int fd, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int from = 3;

	for (fd = 0; fd < 3; fd++)
		if (null >= 0)
			dup2(null, fd);
	/* Closes the gaps between the files to keep, in ascending order. */
	for (;;) {
		unsigned int next = ~0u;

		for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
			if (keep[i] >= (int)from && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next > from)
			close_range(from, next - 1, 0);
		if (next == ~0u)
			break;
		from = next + 1;
	}
	if (chdir("/") < 0)
		return;
}

void agent_main(struct launch *launch, pid_t vmm, int start)
{
	static struct agent agent;
	static struct out messages;

	init_process();
	agent.launch = launch;
	agent.start = start;
	agent.seq = launch->seq;
	if (gethostname(agent.host, sizeof(agent.host)) < 0)
		agent.host[0] = 0;
	agent.host[sizeof(agent.host) - 1] = 0;
	policies_assign_number(&agent, &launch->policy, &launch->written, launch->mode,
			       launch->table.left_out);
	limit_init(&agent.limit, launch->event_limit, launch->event_total);
	budget_init(&agent.budget, launch->event_limit ? launch->event_total : 0);
	out_open_fd(&messages, 2);
	agent.messages = &messages;
	agent.events = launch->events_name ? &launch->events : &messages;
	agent.begun = clock_now();
	agent.tick_ms = GUARD_TICK_MS;
	if (watch_init(&agent.watch, vmm, launch->lifeline[0]) < 0)
		end_process(1);
	ctl_init(&agent.ctl, &agent, &launch->socket);
	note_vmm(&agent);
	close_others(&agent);
	if (wake_begin(launch->shared, launch->wake) < 0 ||
	    hook_begin(&agent) < 0 || timed_begin(&agent) < 0 ||
	    standby_begin(&agent) < 0 || rule_counts_begin(&agent) < 0 ||
	    send(start, "", 1, MSG_NOSIGNAL) != 1)
		end_process(1);
	loop(&agent);
	end_process(0);
}
