// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the VMM's process, one at a time.
 *
 * The shim takes a command by its number in control->request, and says by the
 * same number in answer->done that it is carried out. Nothing in struct control
 * changes in between, but for one thing: a command whose time is over becomes
 * CONTROL_NONE. A shim that has not begun with it answers -ECANCELED; one that has
 * goes on to its end. Either way the next command waits for it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent_state.h"
#include "ctl_confirm.h"
#include "ctl_event.h"
#include "ctl_proposal.h"
#include "ctl_window.h"
#include "launch_state.h"
#include "lib/judge/msr_filter.h"
#include "policies.h"
#include "report.h"
#include "standby.h"
#include "vmm_command.h"

/**
 * struct outcome - what a command came to
 * @code: the error, NULL if it is done
 * @text: for people, or NULL
 */
struct outcome {
	const char *code, *text;
};

static struct control *control_of(const struct ctl *ctl)
{
	return ctl->agent->launch->control;
}

static const struct control_answer *answer_of(const struct ctl *ctl)
{
	return &ctl->agent->launch->shared->answer;
}

static enum control_command command_of(enum ctl_verb verb)
{
	switch (verb) {
	case CTL_ARM:
		return CONTROL_ARM;
	case CTL_DISARM:
		return CONTROL_DISARM;
	case CTL_ALLOW:
	case CTL_GP:
	case CTL_STOP:
		return CONTROL_ANSWER;
	case CTL_WINDOW:
		return CONTROL_WINDOW;
	case CTL_WINDOW_END:
		return CONTROL_WINDOW_END;
	case CTL_MODE:
	case CTL_APPLY:
		return CONTROL_POLICY;
	default:
		return CONTROL_NONE;
	}
}

static uint32_t argument(const struct ctl_request *request)
{
	switch (request->verb) {
	case CTL_ALLOW:
		return REGPIN_ALLOW;
	case CTL_GP:
		return REGPIN_GP;
	case CTL_STOP:
		return REGPIN_STOP;
	default:
		return request->ms;
	}
}

/* The held vCPU of this id, if there is but one, tells its VM. */
static unsigned int find_held(const struct ctl *ctl, uint32_t vcpu,
			      uint32_t *vm)
{
	const struct handoff *shared = ctl->agent->launch->shared;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < STATUS_VCPUS; i++) {
		const struct vcpu_status *slot = &shared->vcpus[i];

		if (!(atomic_load(&slot->flags) & STATUS_HELD) ||
		    slot->vcpu != vcpu)
			continue;
		*vm = slot->vm;
		nr++;
	}
	return nr;
}

bool ctl_find_vm(struct ctl *ctl, struct ctl_conn *conn, uint32_t *vm,
		 uint64_t now)
{
	const struct ctl_request *request = &conn->request;
	unsigned int nr;

	*vm = CONTROL_ALL_VMS;
	if (request->has & (1u << CTL_KEY_VM)) {
		*vm = request->vm;
		return true;
	}
	if (command_of(request->verb) != CONTROL_ANSWER)
		return true;
	nr = find_held(ctl, request->vcpu, vm);
	if (nr == 1)
		return true;
	if (nr)
		conn_error(conn, now, "which", "vCPU %u of several VMs is held: name the VM",
			   request->vcpu);
	else
		conn_error(conn, now, "not-held", "vCPU %u is not held: nothing waits for an answer",
			   request->vcpu);
	return false;
}

static struct outcome policy_outcome(int32_t result)
{
	switch (result) {
	case -EINVAL:
		return (struct outcome){ "refused", "the VMM's process received it damaged: the old policy stays" };
	case -EPERM:
		return (struct outcome){ "refused", "the guest has a feature that this policy does not accept (nested virtualisation, SMM): the old policy stays" };
	case -EOPNOTSUPP:
		return (struct outcome){ "refused", "this KVM lacks what one of its rules needs, or one is on the LASTBRANCH* MSRs, which AMD hosts filter reliably only if the VM was started with it: the old policy stays" };
	case -ENOTRECOVERABLE:
		return (struct outcome){ "failed", "the policy is in force, but KVM refused its filters for one VM; that VM stays stopped, even after a reset, until KVM accepts them (see 'status')" };
	case -ESTALE:
		return (struct outcome){ "failed", "some VMs have the new policy and others kept the old one (see 'status'): apply a policy that all of them accept" };
	case -EBUSY:
		return (struct outcome){ "refused", "some vCPUs have not run since the last change of policy, and may still be judged by the previous one, or VMs that were closed still hold theirs: the old policy stays" };
	case -E2BIG:
		return (struct outcome){ "refused", "together with the VMM's own MSR filter the policy needs more ranges than KVM has: the old policy stays" };
	default:
		return (struct outcome){ "failed", NULL };
	}
}

/* Which MSRs had no room: as far as the VMM's process tells it. */
static bool policy_overflow(const struct control_answer *shared, char *text,
			    size_t size)
{
	/* Copied first: the VMM's process can change it. */
	const struct control_answer copy = {
		.overflow_base = shared->overflow_base,
		.overflow_nmsrs = shared->overflow_nmsrs,
		.overflow_flags = shared->overflow_flags,
		.overflow_more = shared->overflow_more,
	}, *control = &copy;
	const char *end = ": the old policy stays";
	struct overflow overflow = { .nr = 1, .more = control->overflow_more };
	uint32_t flags = control->overflow_flags;

	overflow.list[0] = (struct overflow_range){
		.base = control->overflow_base, .nmsrs = control->overflow_nmsrs,
		.flags = flags & ~OVERFLOW_VMM, .vmm = flags & OVERFLOW_VMM,
	};
	if (!overflow.list[0].nmsrs)
		return false;
	overflow_text(text, size - strlen(end), &overflow);
	snprintf(text + strlen(text), size - strlen(text), "%s", end);
	return true;
}

static struct outcome outcome_of(const struct ctl_job *job, int32_t result)
{
	if (result == 0)
		return (struct outcome){ NULL, NULL };
	if (result == -ECANCELED || (job->expired && result == -EINVAL))
		return (struct outcome){ "cancelled", "the command was withdrawn before the VMM's process began it" };
	if (result == -ENOENT)
		return (struct outcome){ "no-such", "there is no such VM or vCPU" };
	if (job->command != CONTROL_ANSWER && result == -ETIMEDOUT)
		return (struct outcome){ NULL, "some vCPUs have not run since the command: it takes effect for them when they do" };
	if (job->command == CONTROL_POLICY)
		return policy_outcome(result);
	if (job->command == CONTROL_ANSWER && result == -EINVAL)
		return (struct outcome){ "not-held", "the vCPU is not held, or no longer held: nothing waits for an answer" };
	if (job->command == CONTROL_WINDOW_END && result == -EINVAL)
		return (struct outcome){ "no-window", "no window is open" };
	return (struct outcome){ "failed", NULL };
}

/* The client that waits for this job, if it still does. */
static struct ctl_conn *waiting(struct ctl *ctl, const struct ctl_job *job)
{
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state == CONN_WAITING &&
		    ctl->conns[i].id == job->client)
			return &ctl->conns[i];
	return NULL;
}

static void settle(struct ctl *ctl, const struct ctl_job *job, uint64_t now)
{
	if (job->command == CONTROL_POLICY)
		stage_applied(ctl, job->stage);
	else if (job->command == CONTROL_WINDOW)
		ctl_remember_window(ctl, job->vm, now + job->request.ms,
				job->request.once);
	else if (job->command == CONTROL_WINDOW_END)
		ctl_remember_window(ctl, job->vm, 0, false);
}

/* A policy that has come into force, though not all is well. */
static bool in_force(const struct ctl_job *job, int32_t result)
{
	return job->command == CONTROL_POLICY && result == -ENOTRECOVERABLE;
}

/* @but: what is not as it should be, or NULL. */
static void confirm(struct ctl *ctl, struct ctl_conn *conn, const char *but,
		    uint64_t now)
{
	char text[CTL_TEXT_MAX];

	ctl_confirm(ctl, &ctl->job, text, sizeof(text));
	if (*text)
		conn_line(conn, "data %s", text);
	conn_ok(conn, now, "%s", but ? but : "");
}

/*
 * What the vCPUs found when they looked at themselves by a new policy is in the ring
 * before the VMM's process says that it is done. All of it, at most the ring's size.
 */
static void read_events(struct agent *agent)
{
	for (unsigned int i = 0; i < RING_SLOTS && tell_events(agent); i++)
		;
}

static void finish(struct ctl *ctl, int32_t result, uint64_t now)
{
	struct ctl_job *job = &ctl->job;
	struct ctl_conn *conn = job->expired ? NULL : waiting(ctl, job);
	struct outcome outcome = outcome_of(job, result);
	char text[CTL_TEXT_MAX];

	if (job->command == CONTROL_POLICY && result == -E2BIG &&
	    policy_overflow(answer_of(ctl), text, sizeof(text)))
		outcome.text = text;
	if (outcome.code && !outcome.text) {
		snprintf(text, sizeof(text), "the VMM's process answered %d (%s)",
			 result, result < 0 && result > -4096 ?
					 strerror(-result) : "nonsense");
		outcome.text = text;
	}
	if (job->command == CONTROL_POLICY)
		read_events(ctl->agent);
	if (!outcome.code || in_force(job, result))
		settle(ctl, job, now);
	else if (job->command == CONTROL_POLICY && result != -ECANCELED)
		/* Some vCPUs may have been judged by it, and be held. */
		policies_keep(ctl->agent, &job->stage->policy);
	ctl_event(ctl, job, outcome.code, outcome.text, now);
	if (conn && outcome.code)
		conn_error(conn, now, outcome.code, "%s", outcome.text);
	else if (conn)
		confirm(ctl, conn, outcome.text, now);
	stage_free(job->stage);
	*job = (struct ctl_job){ .given = false };
}

/* Too late. What is in the VMM's hand stays there until it says so. */
static void expire(struct ctl *ctl, uint64_t now)
{
	static const char text[] = "the VMM did not answer in time: is it stopped? The command is withdrawn, unless it has begun";
	struct ctl_job *job = &ctl->job;
	struct ctl_conn *conn = waiting(ctl, job);

	atomic_store(&control_of(ctl)->command, (uint32_t)CONTROL_NONE);
	ctl_event(ctl, job, "timeout", text, now);
	if (conn)
		conn_error(conn, now, "timeout", "%s", text);
	job->expired = true;
}

static void wake_shim(struct control *control)
{
	syscall(SYS_futex, &control->request, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/*
 * Is what @conn was shown still true? If not, a mode is made anew of the policy that
 * has come into force meanwhile: nobody was asked about it. A policy is not.
 */
static bool renew_stage(struct ctl *ctl, struct ctl_conn *conn)
{
	if (conn->stage->policies == ctl->policies)
		return true;
	if (conn->request.verb != CTL_MODE)
		return false;
	stage_free(conn->stage);
	conn->stage = stage_mode(ctl, conn->request.mode);
	return conn->stage && stage_good(conn->stage);
}

/* Returns false if the policy can't be put in force as it was shown. */
static bool put_policy(struct ctl *ctl, struct ctl_conn *conn)
{
	struct control *control = control_of(ctl);

	if (!renew_stage(ctl, conn))
		return false;
	policies_number(ctl->agent, &conn->stage->policy);
	control->arg = conn->stage->policy.number;
	control->blob_size = (uint32_t)blob_seal(&conn->stage->policy,
						 control->blob);
	return true;
}

static void give(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	struct control *control = control_of(ctl);
	struct ctl_job job = {
		.command = command_of(conn->request.verb), .begun = now,
		.request = conn->request, .client = conn->id,
		.uid = conn->uid, .pid = conn->pid, .given = true,
		.detected = ctl->agent->detected,
	};

	if (!ctl_find_vm(ctl, conn, &job.vm, now))
		return;
	if (job.command == CONTROL_POLICY && !put_policy(ctl, conn)) {
		conn_error(conn, now, "changed", "another policy came into force meanwhile: look again at what this one changes");
		return;
	}
	job.stage = conn->stage;
	conn->stage = NULL;
	job.deadline = now + (job.command == CONTROL_POLICY ? CTL_POLICY_MS :
							      CTL_ANSWER_MS);
	job.number = ++ctl->number;
	ctl->job = job;
	control->vm = job.vm;
	control->vcpu = conn->request.vcpu;
	if (job.command != CONTROL_POLICY)
		control->arg = argument(&conn->request);
	control->once = conn->request.once;
	atomic_store(&control->command, (uint32_t)job.command);
	/* A standby goes on here, and gives it again: that is the same command. */
	standby_renew(ctl->agent);
	atomic_store(&control->request, job.number);
	wake_shim(control);
}

static struct ctl_conn *next_in_queue(struct ctl *ctl)
{
	struct ctl_conn *next = NULL;

	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_conn *conn = &ctl->conns[i];

		if (conn->state == CONN_WAITING &&
		    (!next || conn->ticket < next->ticket))
			next = conn;
	}
	return next;
}

void ctl_jobs(struct ctl *ctl, uint64_t now)
{
	const struct control_answer *answer = answer_of(ctl);
	struct ctl_conn *conn;

	if (ctl->job.given && atomic_load(&answer->done) == ctl->job.number)
		finish(ctl, __atomic_load_n(&answer->result, __ATOMIC_RELAXED),
		       now);
	if (ctl->job.given && !ctl->job.expired && now >= ctl->job.deadline)
		expire(ctl, now);
	while (ctl->job.expired && (conn = next_in_queue(ctl)))
		conn_error(conn, now, "stuck", "the VMM has not answered an earlier command yet: is it stopped?");
	while (!ctl->job.given && (conn = next_in_queue(ctl)))
		give(ctl, conn, now);
}
