// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back to the previous policy. All that it needs is in the agent's memory, and so in
 * that of its standby: the text of the policy, the operator's mode, and the deadline.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent_state.h"
#include "base/printable.h"
#include "ctl_event.h"
#include "ctl_proposal.h"
#include "ctl_return.h"
#include "launch_state.h"

/* Between attempts, which become rarer because each failure is an event. */
#define FIRST_PAUSE_MS	5000u
#define MAX_PAUSE_MS	300000u

bool return_is_trial(const struct ctl *ctl)
{
	return ctl->trial.until;
}

const struct ctl_back *return_target(const struct ctl *ctl)
{
	const struct ctl_back *back = return_is_trial(ctl) ? &ctl->trial.back : &ctl->previous;

	return back->written.text ? back : NULL;
}

struct ctl_proposal *return_propose(struct ctl *ctl, enum policy_mode mode)
{
	const struct ctl_back *back = return_target(ctl);
	const struct policy_written *written = &back->written;
	struct ctl_proposal *proposal = proposal_from_text(ctl, written->name, written->text,
							   written->size, mode, &back->modes);

	if (proposal)
		proposal->rollback = true;
	return proposal;
}

bool return_prepare(const struct ctl *ctl, struct ctl_proposal *proposal)
{
	const struct launch *launch = ctl->agent->launch;
	const struct policy_written *now = &launch->written;

	policy_forget(&proposal->back);
	proposal->back_mode = launch->mode;
	proposal->back_modes = launch->rule_modes;
	return !proposal->confirm_ms ||
	       !policy_keep(&proposal->back, now->name, now->text, now->size);
}

void return_end_trial(struct ctl *ctl)
{
	policy_forget(&ctl->trial.back.written);
	ctl->trial = (struct ctl_trial){ .until = 0 };
}

void return_begin(struct ctl *ctl, const struct vmm_command *command, uint64_t now)
{
	struct ctl_proposal *proposal = command->proposal;

	return_end_trial(ctl);
	if (!proposal->confirm_ms)
		return;
	ctl->trial = (struct ctl_trial){
		.back = { proposal->back, proposal->back_mode, proposal->back_modes },
		.until = now + proposal->confirm_ms,
		.try_at = now + proposal->confirm_ms,
		.uid = command->uid, .pid = command->pid,
	};
	proposal->back.name = proposal->back.text = NULL;
}

void return_free(struct ctl *ctl)
{
	return_end_trial(ctl);
	policy_forget(&ctl->previous.written);
}

uint64_t return_due(const struct ctl *ctl)
{
	return return_is_trial(ctl) && !ctl->trial.sent ? ctl->trial.try_at : 0;
}

static void try_later(struct ctl_trial *trial, uint64_t now)
{
	uint64_t pause = FIRST_PAUSE_MS;

	for (unsigned int i = 0; i < trial->tries && pause < MAX_PAUSE_MS; i++)
		pause *= 2;
	trial->tries++;
	trial->sent = trial->stuck_reported = false;
	trial->try_at = now + (pause < MAX_PAUSE_MS ? pause : MAX_PAUSE_MS);
}

/* An event for an attempt that led to no command. */
static void report(struct ctl *ctl, struct ctl_proposal *proposal, const char *code,
		   const char *text, uint64_t now)
{
	const struct vmm_command command = {
		.own = true, .vm = CONTROL_ALL_VMS, .begun = now, .proposal = proposal,
		.request = { .verb = CTL_ROLLBACK }, .uid = ctl->trial.uid, .pid = ctl->trial.pid,
	};

	ctl_report_command(ctl, &command, code, text, now);
}

struct ctl_proposal *return_take_back(struct ctl *ctl, uint64_t now)
{
	struct ctl_trial *trial = &ctl->trial;
	struct ctl_proposal *proposal = return_propose(ctl, trial->back.mode);

	if (proposal && proposal_is_usable(proposal)) {
		trial->sent = true;
		return proposal;
	}
	if (proposal)
		report(ctl, proposal, "rejected", "the policy was not confirmed, and the previous one can't come into force any more: this policy stays, and the agent tries again ('policy --rollback' prints the reason)", now);
	else
		report(ctl, NULL, "memory", "the policy was not confirmed, and the agent is out of memory: the policy stays, and the agent tries again to take it back", now);
	proposal_free(proposal);
	try_later(trial, now);
	return NULL;
}

void return_delayed(struct ctl *ctl, uint64_t now)
{
	if (ctl->trial.stuck_reported || now < ctl->trial.try_at + CTL_ANSWER_MS)
		return;
	ctl->trial.stuck_reported = true;
	report(ctl, NULL, "stuck", "the policy was not confirmed, and the VMM has not answered an earlier command yet: the policy is taken back as soon as the VMM has answered", now);
}

void return_failed(struct ctl *ctl, uint64_t now)
{
	try_later(&ctl->trial, now);
}

static uint64_t left_ms(const struct ctl *ctl, uint64_t now)
{
	return ctl->trial.until > now ? ctl->trial.until - now : 0;
}

void return_put_status(struct json *json, const struct ctl *ctl, uint64_t now)
{
	if (ctl->previous.written.text)
		json_string(json, "previous_sha256", ctl->previous.written.hash);
	if (!return_is_trial(ctl))
		return;
	json_u64(json, "trial_left_ms", left_ms(ctl, now));
	json_string(json, "trial_back_file", printable(ctl->trial.back.written.name));
	json_string(json, "trial_back_sha256", ctl->trial.back.written.hash);
	json_u64(json, "trial_failed", ctl->trial.tries);
}

const char *return_text(char *buf, size_t size, const struct ctl *ctl, uint64_t now)
{
	uint64_t left = left_ms(ctl, now);

	if (!return_is_trial(ctl))
		*buf = 0;
	else if (left)
		snprintf(buf, size, "; NOT CONFIRMED: in %" PRIu64 " s %.200s is in force again, unless 'confirm' keeps this policy",
			 (left + 999) / 1000, printable(ctl->trial.back.written.name));
	else
		snprintf(buf, size, "; NOT CONFIRMED, and not taken back yet (%u failed attempt%s, see 'events')",
			 ctl->trial.tries, ctl->trial.tries == 1 ? "" : "s");
	return buf;
}
