// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the VMM's process, one at a time.
 *
 * The agent announces a command by its number in control->request, and the shim writes the
 * same number to answer->done when it has carried the command out. In between nothing in
 * struct control changes, with one exception: a command whose time is over becomes
 * CONTROL_NONE. A shim that has not begun with it answers -ECANCELED; otherwise it carries
 * the command out. In both cases the next command is sent only after the answer.
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
#include "ctl_return.h"
#include "ctl_window.h"
#include "keep.h"
#include "launch_state.h"
#include "lib/judge/msr_filter.h"
#include "policies.h"
#include "report.h"
#include "rule_counts.h"
#include "standby.h"
#include "timed.h"
#include "vmm_command.h"

/**
 * struct outcome - the result of a command
 * @code: the error's code, NULL if the command succeeded
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

static enum control_command kind_of(enum ctl_verb verb)
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
	case CTL_ROLLBACK:
		return CONTROL_POLICY;
	default:
		return CONTROL_NONE;
	}
}

static uint32_t argument_of(const struct ctl_request *request)
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

/* Counts held vCPUs with this id, and returns the VM of the last one in @vm. */
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

bool vmm_command_find_vm(struct ctl *ctl, struct ctl_conn *conn, uint32_t *vm,
			 uint64_t now)
{
	const struct ctl_request *request = &conn->request;
	unsigned int nr;

	*vm = CONTROL_ALL_VMS;
	if (request->has & (1u << CTL_KEY_VM)) {
		*vm = request->vm;
		return true;
	}
	if (kind_of(request->verb) != CONTROL_ANSWER)
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

/* The MSRs that did not fit into KVM's filter, if the VMM's process has named them. */
static bool policy_overflow(const struct control_answer *shared, char *text,
			    size_t size)
{
	/* A copy, because the VMM's process can change the original at any time. */
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

static struct outcome outcome_of(const struct vmm_command *command, int32_t result)
{
	if (result == 0)
		return (struct outcome){ NULL, NULL };
	if (result == -ECANCELED || (command->expired && result == -EINVAL))
		return (struct outcome){ "cancelled", "the command was withdrawn before the VMM's process began it" };
	if (result == -ENOENT)
		return (struct outcome){ "no-such", "there is no such VM or vCPU" };
	if (command->kind != CONTROL_ANSWER && result == -ETIMEDOUT)
		return (struct outcome){ NULL, "some vCPUs have not run since the command: it takes effect for them when they do" };
	if (command->kind == CONTROL_POLICY)
		return policy_outcome(result);
	if (command->kind == CONTROL_ANSWER && result == -EINVAL)
		return (struct outcome){ "not-held", "the vCPU is not held, or no longer held: nothing waits for an answer" };
	if (command->kind == CONTROL_WINDOW_END && result == -EINVAL)
		return (struct outcome){ "no-window", "no window is open" };
	return (struct outcome){ "failed", NULL };
}

/* The client that waits for this command, or NULL if it has left. */
static struct ctl_conn *waiting_client(struct ctl *ctl, const struct vmm_command *command)
{
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state == CONN_WAITING &&
		    ctl->conns[i].id == command->client)
			return &ctl->conns[i];
	return NULL;
}

static void apply_effects(struct ctl *ctl, const struct vmm_command *command, uint64_t now)
{
	if (command->kind == CONTROL_POLICY) {
		return_begin(ctl, command, now);
		proposal_put_in_force(ctl, command->proposal);
		keep_policy(ctl->agent);
	} else if (command->kind == CONTROL_WINDOW) {
		ctl_set_window(ctl, command->vm, now + command->request.ms,
				command->request.once);
	} else if (command->kind == CONTROL_WINDOW_END) {
		ctl_set_window(ctl, command->vm, 0, false);
	}
}

/* Is the policy in force although the command failed? */
static bool is_in_force(const struct vmm_command *command, int32_t result)
{
	return command->kind == CONTROL_POLICY && result == -ENOTRECOVERABLE;
}

/* @remark: what the operator should know besides the success, or NULL. */
static void confirm(struct ctl *ctl, struct ctl_conn *conn, const char *remark,
		    uint64_t now)
{
	char text[CTL_TEXT_MAX];

	ctl_confirm(ctl, &ctl->command, text, sizeof(text));
	if (*text)
		conn_line(conn, "data %s", text);
	conn_ok(conn, now, "%s", remark ? remark : "");
}

/*
 * vCPUs check their registers when a policy comes into force. The violations that they find
 * are in the ring before the command is done, so they are reported before its result. At
 * most one full ring is read.
 */
static void read_events(struct agent *agent)
{
	for (unsigned int i = 0; i < RING_SLOTS && report_events(agent); i++)
		;
}

/* The vCPU of an answer, for functions that find a vCPU by its event. */
static struct regpin_event vcpu_of(const struct vmm_command *command)
{
	return (struct regpin_event){ .vm = command->vm, .vcpu = command->request.vcpu };
}

static void note_failed_answer(struct ctl *ctl, uint64_t now)
{
	const struct regpin_event of = vcpu_of(&ctl->command);

	timed_failed(ctl->agent, ctl->command.slot, now);
	pauses_set_timed(&ctl->agent->pauses, &of, false);
}

static void finish(struct ctl *ctl, int32_t result, uint64_t now)
{
	struct vmm_command *command = &ctl->command;
	struct ctl_conn *conn = command->expired ? NULL : waiting_client(ctl, command);
	struct outcome outcome = outcome_of(command, result);
	char text[CTL_TEXT_MAX];

	if (command->kind == CONTROL_POLICY && result == -E2BIG &&
	    policy_overflow(answer_of(ctl), text, sizeof(text)))
		outcome.text = text;
	if (outcome.code && !outcome.text) {
		snprintf(text, sizeof(text), "the VMM's process answered %d (%s)",
			 result, result < 0 && result > -4096 ?
					 strerror(-result) : "nonsense");
		outcome.text = text;
	}
	if (command->kind == CONTROL_POLICY)
		read_events(ctl->agent);
	if (!outcome.code || is_in_force(command, result))
		apply_effects(ctl, command, now);
	else if (command->kind == CONTROL_POLICY && result != -ECANCELED)
		/* It may have judged accesses of some vCPUs, and may hold these vCPUs. */
		policies_keep(ctl->agent, &command->proposal->policy);
	if (command->timed && outcome.code)
		note_failed_answer(ctl, now);
	if (command->own && return_is_trial(ctl))
		return_failed(ctl, now);
	ctl_report_command(ctl, command, outcome.code, outcome.text, now);
	if (conn && outcome.code)
		conn_error(conn, now, outcome.code, "%s", outcome.text);
	else if (conn)
		confirm(ctl, conn, outcome.text, now);
	proposal_free(command->proposal);
	*command = (struct vmm_command){ .given = false };
}

/* The time is over. No other command is sent before the VMM answers this one. */
static void expire(struct ctl *ctl, uint64_t now)
{
	static const char text[] = "the VMM did not answer in time: is it stopped? The command is withdrawn, unless it has begun; the status shows it, and a late answer is an event";
	struct vmm_command *command = &ctl->command;
	struct ctl_conn *conn = waiting_client(ctl, command);

	atomic_store(&control_of(ctl)->command, (uint32_t)CONTROL_NONE);
	ctl_report_command(ctl, command, "timeout", text, now);
	if (conn)
		conn_error(conn, now, "timeout", "%s", text);
	command->expired = true;
}

static void wake_shim(struct control *control)
{
	syscall(SYS_futex, &control->request, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/*
 * Do the changes that @conn was shown still apply? They don't if another policy has come
 * into force meanwhile. Then a change of mode is applied to that policy, because the
 * operator named no policy; a policy is refused, because its changes were confirmed, and so is
 * the mode of a rule of a policy that is gone.
 */
static bool renew_proposal(struct ctl *ctl, struct ctl_conn *conn)
{
	if (conn->proposal->policies == ctl->policies)
		return true;
	if (conn->request.verb != CTL_MODE || !proposal_renew(ctl, &conn->proposal))
		return false;
	return conn->proposal && proposal_is_usable(conn->proposal);
}

static void write_policy(struct ctl *ctl, struct ctl_proposal *proposal)
{
	struct control *control = control_of(ctl);

	policies_assign_number(ctl->agent, &proposal->policy, &proposal->written,
			       proposal->mode, proposal->table.left_out);
	rule_counts_announce(ctl->agent, proposal);
	control->arg = proposal->policy.number;
	control->blob_size = (uint32_t)blob_seal(&proposal->policy, control->blob);
}

/* Checks what may have changed while the policy waited in the queue. */
static bool check_policy(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	if (!renew_proposal(ctl, conn))
		conn_error(conn, now, "changed", "another policy came into force meanwhile: look again at what this one changes");
	else if (return_is_trial(ctl) && !conn->proposal->rollback)
		conn_error(conn, now, "unconfirmed", CTL_UNCONFIRMED);
	else if (!return_prepare(ctl, conn->proposal))
		conn_error(conn, now, "memory", "the agent is out of memory");
	else
		return true;
	return false;
}

/* Hands @command to the shim. */
static void hand_over(struct ctl *ctl, struct vmm_command *command)
{
	struct control *control = control_of(ctl);
	const struct regpin_event of = vcpu_of(command);

	if (command->kind == CONTROL_ANSWER)
		command->hold = pauses_hold(&ctl->agent->pauses, &of, 0);
	command->number = ++ctl->number;
	if (command->kind == CONTROL_POLICY)
		write_policy(ctl, command->proposal);
	else
		control->arg = argument_of(&command->request);
	ctl->command = *command;
	control->vm = command->vm;
	control->vcpu = command->request.vcpu;
	control->once = command->request.once;
	atomic_store(&control->command, (uint32_t)command->kind);
	/* A standby that takes over sends the command again, under the same number. */
	standby_renew(ctl->agent);
	atomic_store(&control->request, command->number);
	wake_shim(control);
}

/* The same as a client's `gp` or `stop`, for a vCPU that is held for too long. */
static void send_timed_answer(struct ctl *ctl, unsigned int slot, uint64_t now)
{
	const struct vcpu_status *vcpu = &ctl->agent->launch->shared->vcpus[slot];
	struct vmm_command command = {
		.kind = CONTROL_ANSWER, .begun = now, .deadline = now + CTL_ANSWER_MS,
		.given = true, .timed = true, .slot = slot,
		.vm = __atomic_load_n(&vcpu->vm, __ATOMIC_RELAXED),
		.request = {
			.verb = timed_answer(ctl->agent, &vcpu->held) == REGPIN_STOP ?
					CTL_STOP : CTL_GP,
			.has = 1u << CTL_KEY_VCPU,
			.vcpu = __atomic_load_n(&vcpu->vcpu, __ATOMIC_RELAXED),
		},
	};
	const struct regpin_event of = vcpu_of(&command);

	pauses_set_timed(&ctl->agent->pauses, &of, true);
	hand_over(ctl, &command);
}

static void send_command(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	struct vmm_command command = {
		.kind = kind_of(conn->request.verb), .begun = now,
		.request = conn->request, .client = conn->id,
		.uid = conn->uid, .pid = conn->pid, .given = true,
		.detected = ctl->agent->detected,
	};

	if (!vmm_command_find_vm(ctl, conn, &command.vm, now) ||
	    (command.kind == CONTROL_POLICY && !check_policy(ctl, conn, now)))
		return;
	command.proposal = conn->proposal;
	conn->proposal = NULL;
	command.deadline = now + (command.kind == CONTROL_POLICY ? CTL_POLICY_MS :
							      CTL_ANSWER_MS);
	hand_over(ctl, &command);
}

/* Takes back a policy that was not confirmed, as if its operator had given the command. */
static void take_back(struct ctl *ctl, uint64_t now)
{
	struct vmm_command command = {
		.kind = CONTROL_POLICY, .begun = now, .vm = CONTROL_ALL_VMS,
		.request = { .verb = CTL_ROLLBACK }, .own = true,
		.uid = ctl->trial.uid, .pid = ctl->trial.pid, .given = true,
		.deadline = now + CTL_POLICY_MS,
		.detected = ctl->agent->detected,
	};

	command.proposal = return_take_back(ctl, now);
	if (command.proposal)
		hand_over(ctl, &command);
}

static bool is_due(const struct ctl *ctl, uint64_t now)
{
	uint64_t due = return_due(ctl);

	return due && now >= due;
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

void vmm_command_run(struct ctl *ctl, uint64_t now)
{
	const struct control_answer *answer = answer_of(ctl);
	struct ctl_conn *conn;
	unsigned int slot;

	if (ctl->command.given && atomic_load(&answer->done) == ctl->command.number)
		finish(ctl, __atomic_load_n(&answer->result, __ATOMIC_RELAXED),
		       now);
	if (ctl->command.given && !ctl->command.expired && now >= ctl->command.deadline)
		expire(ctl, now);
	while (ctl->command.expired && (conn = next_in_queue(ctl)))
		conn_error(conn, now, "stuck", "the VMM has not answered an earlier command yet: is it stopped?");
	if (!ctl->command.given && is_due(ctl, now))
		take_back(ctl, now);
	else if (is_due(ctl, now))
		return_delayed(ctl, now);
	while (!ctl->command.given && (conn = next_in_queue(ctl)))
		send_command(ctl, conn, now);
	/* Operators come first: an answer of theirs that waits is given in place of this one. */
	timed_run(ctl->agent, now);
	if (!ctl->command.given && !ctl->ended && timed_find(ctl->agent, now, &slot))
		send_timed_answer(ctl, slot, now);
}
