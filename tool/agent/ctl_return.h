/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back to the policy that was in force before: by an operator's command (rollback), or
 * by the agent itself, if a policy that was applied for a time was not confirmed (a trial).
 */
#ifndef REGPIN_TOOL_CTL_RETURN_H
#define REGPIN_TOOL_CTL_RETURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "ctl_state.h"

struct ctl_proposal;

/* The text of the error with the code "unconfirmed". */
#define CTL_UNCONFIRMED	"the policy in force waits for 'confirm': confirm it, or take it back by 'policy --rollback'"

/* Does the policy in force have to be confirmed? Then no other policy can be applied. */
bool return_is_trial(const struct ctl *ctl);

/* The policy to which a rollback leads, or NULL if there is none. */
const struct ctl_back *return_target(const struct ctl *ctl);

/*
 * The same as a proposal, in the operator's mode @mode. Returns NULL if there is no memory.
 * The caller has checked that there is a target.
 */
struct ctl_proposal *return_propose(struct ctl *ctl, enum policy_mode mode);

/*
 * Prepares that @proposal, which is about to be sent, can be taken back. Returns false if
 * there is no memory.
 */
bool return_prepare(const struct ctl *ctl, struct ctl_proposal *proposal);

/* @command has put its policy in force. Ends a trial, and perhaps begins one. */
void return_begin(struct ctl *ctl, const struct vmm_command *command, uint64_t now);

/* The policy is confirmed, or the VMM has ended. */
void return_end_trial(struct ctl *ctl);

/* Frees all policies that were kept for a way back. */
void return_free(struct ctl *ctl);

/* When the agent next has to act, in ms; 0: never. */
uint64_t return_due(const struct ctl *ctl);

/*
 * The time is over: the policy that comes into force again. NULL if that is impossible now; that
 * has been reported, and will be tried again.
 */
struct ctl_proposal *return_take_back(struct ctl *ctl, uint64_t now);

/*
 * The time is over, but an earlier command is not answered. If that takes long, it is reported
 * once.
 */
void return_delayed(struct ctl *ctl, uint64_t now);

/* The command that takes the policy back has failed, which was reported. */
void return_failed(struct ctl *ctl, uint64_t now);

/* For `status`: the trial as keys, and as a sentence that may follow others, or "". */
void return_put_status(struct json *json, const struct ctl *ctl, uint64_t now);
const char *return_text(char *buf, size_t size, const struct ctl *ctl, uint64_t now);

#endif
