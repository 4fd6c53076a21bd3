/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that a client has proposed, from its text to being in force. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_H
#define REGPIN_TOOL_CTL_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl_proposal_state.h"
#include "policy/policy_mode.h"

struct ctl;

/*
 * Reads a policy of @size bytes, and compares it, in the operator's mode @mode, with the
 * policy in force. Returns NULL if there is no memory.
 */
struct ctl_proposal *proposal_from_text(struct ctl *ctl, const char *name,
					const char *text, size_t size,
					enum policy_mode mode);

/* The same for the policy in force, in another mode. */
struct ctl_proposal *proposal_from_mode(struct ctl *ctl, enum policy_mode mode);

void proposal_free(struct ctl_proposal *proposal);

/* May the policy come into force? If not, proposal_line() gives the reasons. */
bool proposal_is_usable(const struct ctl_proposal *proposal);

/*
 * Writes line @n of the description of its problems and changes to @buf. Returns @buf, or
 * NULL after the last line.
 */
const char *proposal_line(const struct ctl_proposal *proposal, uint64_t n, char *buf,
			  size_t size);

/*
 * Records that the policy is in force from now on, so that events name its rules, and keeps
 * the previous one. Takes over @proposal->written.
 */
void proposal_put_in_force(struct ctl *ctl, struct ctl_proposal *proposal);

#endif
