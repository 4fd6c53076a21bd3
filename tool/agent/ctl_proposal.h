/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that came by the control socket, from its text to being in force. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_H
#define REGPIN_TOOL_CTL_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl_proposal_state.h"
#include "policy/policy_mode.h"

struct ctl;

/*
 * The policy of @size bytes of @text, in the operator's mode @mode. Returns NULL if
 * there is no memory.
 */
struct ctl_proposal *proposal_from_text(struct ctl *ctl, const char *name,
					const char *text, size_t size,
					enum policy_mode mode);

/* The policy that is in force, in another mode. Likewise. */
struct ctl_proposal *proposal_from_mode(struct ctl *ctl, enum policy_mode mode);

void proposal_free(struct ctl_proposal *proposal);

/* Can it be used? If not, its lines say why. */
bool proposal_is_usable(const struct ctl_proposal *proposal);

/*
 * Line @n of what is to be said of it, in @buf, which is returned; NULL behind the
 * last.
 */
const char *proposal_line(const struct ctl_proposal *proposal, uint64_t n, char *buf,
			  size_t size);

/* It is in force from now on, and the events' rules are its. Takes @proposal->written. */
void proposal_put_in_force(struct ctl *ctl, struct ctl_proposal *proposal);

#endif
