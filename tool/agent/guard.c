// SPDX-License-Identifier: GPL-2.0-only
/*
 * Until the first VM has got its policy, all processes that descend from the VMM are
 * checked each tick. The shim connects to the agent before it creates a VM, and closes the
 * connection when the VM has its policy, so a process that has a VM and no connection
 * created it past the shim.
 *
 * Later they are checked less often, and only for the shim: it cannot be seen from outside
 * whether a process with the shim created each of its VMs through it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>

#include "admit.h"
#include "agent_output.h"
#include "base/clock.h"
#include "base/proc.h"
#include "give.h"
#include "guard.h"
#include "launch_state.h"

/* Ticks that a process may have a VM that it got by other means than KVM_CREATE_VM. */
#define GRACE_TICKS	5

/*
 * A process without the shim is checked only once more: in an execve() the new program
 * appears shortly before the files that are closed on exec are gone.
 */
#define AGAIN_TICKS	1
#define AGAIN_MS	100

static const struct {
	const char *reason, *text;
} unguarded[UNGUARDED_MAX] = {
	[UNGUARDED_STATIC] = { "static",
		"it is a static program, so the shim can't be preloaded into it: use a dynamically linked build, or one that calls libregpin itself" },
	[UNGUARDED_FOREIGN] = { "foreign",
		"it is not an x86-64 program, so the shim can't be preloaded into it: use an x86-64 build" },
	[UNGUARDED_SECURE] = { "secure",
		"it runs set-user-ID, set-group-ID or with file capabilities (AT_SECURE), and then the loader ignores LD_PRELOAD: start it without those, as a user who has access to /dev/kvm" },
	[UNGUARDED_ENVIRONMENT] = { "environment",
		"it was started with a scrubbed environment, without LD_PRELOAD or " HANDOFF_ENV ": let the wrapper pass both on (no 'env -i'; with sudo, start regpin by sudo: 'sudo regpin run ...')" },
	[UNGUARDED_UNLOADED] = { "unloaded",
		"its loader did not load the shim: check whether the shim can be read from there (container, chroot, AppArmor) and the program uses this system's libc" },
	[UNGUARDED_RAW] = { "raw",
		"the shim is loaded but saw no call: the program makes its system calls itself, past libc's ioctl(), or undid the shim; only a build that calls libregpin can be protected" },
};

static void report_refusal(struct agent *agent, pid_t pid, const char *reason,
			   const char *text)
{
	struct agent_event event = {
		.type = "refused", .reason = reason, .text = text,
		.pid = (uint32_t)pid,
	};

	agent_report(agent, &event);
}

/* Kills by pidfd: that is the process that was checked, even if its id was reused. */
static const char *kill_process(struct agent *agent, struct watched *process)
{
	process->killed = true;
	agent->killed = true;
	if (pidfd_send_signal(process->fd, SIGKILL, NULL, 0) == 0)
		return "killed";
	return errno == ESRCH ? "found ended:" : "COULD NOT KILL";
}

static void refuse_unguarded(struct agent *agent, struct watched *process,
			     enum unguarded why)
{
	char name[256];
	const char *done;

	proc_name(process->pid, name, sizeof(name));
	done = kill_process(agent, process);
	agent_log(agent, "%s %s (pid %d), which has a KVM VM without its policy: %s",
		  done, name, (int)process->pid, unguarded[why].text);
	report_refusal(agent, process->pid, unguarded[why].reason,
		       unguarded[why].text);
}

/* The caller has seen that there is a VM, so a connection announced it before. */
static bool is_in_grace(struct agent *agent, struct watched *process)
{
	bool shim = proc_has_shim(process->pid, agent->launch->shim) > 0;

	if (shim && give_is_creating(&agent->launch->give, process->pid))
		return true;
	return process->ticks++ < (shim ? GRACE_TICKS : AGAIN_TICKS);
}

static void check_process(struct agent *agent, struct watched *process)
{
	const char *shim = agent->launch->shim;
	enum unguarded why;

	/* A process with @vm was given the policy, so it created its VM through the shim. */
	if (process->killed || process->vm || proc_has_vm(process->pid) != 1 ||
	    proc_has_shim(process->pid, shim) == -ESRCH ||
	    is_in_grace(agent, process))
		return;
	why = proc_unguarded(process->pid, shim);
	/* The shim may have attached just now, or the process id may have been reused. */
	if (atomic_load(&agent->launch->shared->attached) ||
	    pidfd_send_signal(process->fd, 0, NULL, 0) < 0)
		return;
	refuse_unguarded(agent, process, why);
}

/* Is the shim loaded? Reads the memory map again only after another execve(). */
static int has_shim(struct agent *agent, struct watched *process)
{
	uint64_t image = proc_image(process->pid);
	int shim;

	if (image && image == process->image)
		return 1;
	shim = proc_has_shim(process->pid, agent->launch->shim);
	process->image = shim > 0 ? image : 0;
	return shim;
}

static void refuse_late(struct agent *agent, struct watched *process,
			const char *text)
{
	char name[256];
	const char *done;

	proc_name(process->pid, name, sizeof(name));
	done = kill_process(agent, process);
	agent_log(agent, "%s %s (pid %d): it %s; --attach-timeout TIME allows more time",
		  done, name, (int)process->pid, text);
	report_refusal(agent, process->pid, "timeout", text);
}

/* Kills all descendants: killing a wrapper alone would leave the VMM running. */
static void refuse_all(struct agent *agent)
{
	unsigned int ms = agent->launch->timeout_ms;
	struct watch *watch = &agent->watch;
	bool blind = false;
	char text[256];

	watch_holders(watch, false);
	for (unsigned int i = 0; i < watch->nr; i++)
		blind |= proc_has_vm(watch->list[i].pid) == -EACCES;
	snprintf(text, sizeof(text),
		 "has not created a KVM VM within %u %s%s: is it running TCG? QEMU: -accel kvm, not tcg, and no kvm:tcg fallback",
		 ms % 1000 ? ms : ms / 1000, ms % 1000 ? "ms" : "s",
		 blind ? ", as far as can be seen (/proc/PID/fd can't be read)" :
			 "");
	for (unsigned int i = 0; i < watch->nr; i++)
		if (!watch->list[i].killed)
			refuse_late(agent, &watch->list[i], text);
}

/* There are more processes than can be watched, and one of the others could have a VM. */
static void refuse_crowd(struct agent *agent)
{
	struct watch *watch = &agent->watch;
	struct agent_event event = { .type = "refused", .reason = "crowd" };
	char text[256];

	snprintf(text, sizeof(text),
		 "%u processes came from the VMM before it had a VM, and the agent can't watch more of them (at most %d, and as many as its limit of open files allows: ulimit -Hn): start the VMM with fewer",
		 watch->nr, WATCH_MAX);
	event.text = text;
	if (!agent->crowd_reported) {
		agent_log(agent, "killed the VMM: %s", text);
		agent_report(agent, &event);
	}
	agent->crowd_reported = true;
	watch_holders(watch, false);
	for (unsigned int i = 0; i < watch->nr; i++)
		if (!watch->list[i].killed)
			kill_process(agent, &watch->list[i]);
}

/* A check of many processes takes long, so the pause is at least four times as long. */
static void set_pace(struct agent *agent, uint64_t begun)
{
	uint64_t ms = (clock_now() - begun) * 4;

	agent->tick_ms = ms < GUARD_TICK_MS ? GUARD_TICK_MS :
			 ms < GUARD_LATE_MS ? (int)ms : GUARD_LATE_MS;
}

/*
 * A QEMU that a wrapper started with options for emulation never creates a VM that the shim
 * could refuse. Without this check its guest would run until the time limit.
 */
static bool refuse_emulator(struct agent *agent, struct watched *process)
{
	uint64_t image = process->killed ? 0 : proc_image(process->pid);
	char name[256], text[1024];
	const char *done;

	if (!image || image == process->judged)
		return false;
	process->judged = image;
	if (!admit_emulates(agent, process->pid, text, sizeof(text)))
		return false;
	proc_name(process->pid, name, sizeof(name));
	done = kill_process(agent, process);
	agent_log(agent, "%s %s (pid %d): %s", done, name, (int)process->pid, text);
	report_refusal(agent, process->pid, "tcg", text);
	return true;
}

void guard_tick(struct agent *agent)
{
	uint64_t limit = agent->launch->timeout_ms, begun = clock_now();

	watch_children(&agent->watch);
	for (unsigned int i = 0; i < agent->watch.nr; i++)
		if (!refuse_emulator(agent, &agent->watch.list[i]))
			check_process(agent, &agent->watch.list[i]);
	set_pace(agent, begun);
	if (agent->watch.full && !atomic_load(&agent->launch->shared->attached))
		refuse_crowd(agent);
	if (limit && clock_now() - agent->begun >= limit &&
	    !atomic_load(&agent->launch->shared->attached))
		refuse_all(agent);
}

/* Returns true if the process has to be checked again soon. */
static bool check_process_late(struct agent *agent, struct watched *process)
{
	const char *shim = agent->launch->shim;
	enum unguarded why;

	if (process->killed)
		return false;
	if (has_shim(agent, process) != 0 || proc_has_vm(process->pid) != 1) {
		/* It was a child between fork and exec, and is a helper now. */
		if (process->suspect)
			process->vm = false;
		process->suspect = false;
		return false;
	}
	/* Marked as one with a VM, it stays in the set until the next check. */
	if (!process->suspect) {
		process->suspect = process->vm = true;
		return true;
	}
	why = proc_unguarded(process->pid, shim);
	/* If the process has ended meanwhile, the reason would be wrong. */
	if (why != UNGUARDED_RAW &&
	    proc_has_shim(process->pid, shim) == 0 &&
	    pidfd_send_signal(process->fd, 0, NULL, 0) == 0)
		refuse_unguarded(agent, process, why);
	return false;
}

/* CPU time of this process, in microseconds. */
static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * The pause after a check that took @us of CPU time, in ms. Checks may cost 1/40000 of a
 * CPU; otherwise a host with hundreds of VMs would be busy with their agents.
 */
static uint64_t next_pause(uint64_t us, uint64_t least, uint64_t most)
{
	uint64_t ms = us * 40;

	return ms < least ? least : ms < most ? ms : most;
}

/* Finds descendants that are not children of a watched process, as their parent ended. */
static void check_all(struct agent *agent, uint64_t now)
{
	uint64_t start = cpu_time();

	if (now < agent->check_all_at)
		return;
	watch_holders(&agent->watch, true);
	agent->check_all_at = clock_now() + next_pause(cpu_time() - start, GUARD_ALL_MS,
						       GUARD_ALL_MAX_MS);
}

void guard_late(struct agent *agent)
{
	struct watch *watch = &agent->watch;
	uint64_t now = clock_now(), start;
	bool again = false;

	if (now < agent->check_at)
		return;
	check_all(agent, now);
	start = cpu_time();
	watch_children(watch);
	for (unsigned int i = 0; i < watch->nr; i++)
		again |= check_process_late(agent, &watch->list[i]);
	watch_only_vms(watch);
	agent->check_at = clock_now() +
		(again ? AGAIN_MS : next_pause(cpu_time() - start, GUARD_LATE_MS,
					       GUARD_LATE_MAX_MS));
}

int guard_late_sleep(const struct agent *agent)
{
	uint64_t now = clock_now();

	return agent->check_at <= now ? 0 : (int)(agent->check_at - now);
}
