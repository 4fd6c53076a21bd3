/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that a client has proposed, from its text to being in force. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_H
#define REGPIN_TOOL_CTL_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl_proposal_state.h"
#include "policy/policy_mode.h"
#include "policy/rule_modes.h"

struct ctl;

/*
 * Reads a policy of @size bytes, and compares it, in the operator's mode @mode, with the
 * policy in force. @modes are the operator's modes of its single rules; NULL: none. Returns
 * NULL if there is no memory.
 */
struct ctl_proposal *proposal_from_text(struct ctl *ctl, const char *name,
					const char *text, size_t size,
					enum policy_mode mode,
					const struct rule_modes *modes);

/*
 * The same for the policy in force, in another mode. MODE_POLICY ends the modes of single
 * rules as well; the other modes leave them.
 */
struct ctl_proposal *proposal_from_mode(struct ctl *ctl, enum policy_mode mode);

/*
 * The same for the policy in force with another mode of one rule. The operator can set the
 * modes of RULE_MODES_MAX rules: the caller checks that there is room.
 */
struct ctl_proposal *proposal_from_rule(struct ctl *ctl,
					const struct rule_target *target);

/*
 * Makes the proposal of a mode again for the policy that is in force now. Returns false if
 * it was about a rule of a policy that is no longer in force; then it stays as it is.
 */
bool proposal_renew(struct ctl *ctl, struct ctl_proposal **proposal);

void proposal_free(struct ctl_proposal *proposal);

/* May the policy come into force? If not, proposal_line() gives the reasons. */
bool proposal_is_usable(const struct ctl_proposal *proposal);

/*
 * Writes line @n of the description of its problems and changes to @buf. Returns @buf, or
 * NULL after the last line.
 */
const char *proposal_line(const struct ctl *ctl, const struct ctl_proposal *proposal,
			  uint64_t n, char *buf, size_t size);

/*
 * Records that the policy is in force from now on, so that events name its rules, and keeps
 * the previous one. Takes over @proposal->written.
 */
void proposal_put_in_force(struct ctl *ctl, struct ctl_proposal *proposal);

#endif
