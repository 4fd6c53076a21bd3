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
struct ctl_stage *stage_text(struct ctl *ctl, const char *name,
			     const char *text, size_t size,
			     enum policy_mode mode);

/* The policy that is in force, in another mode. Likewise. */
struct ctl_stage *stage_mode(struct ctl *ctl, enum policy_mode mode);

void stage_free(struct ctl_stage *stage);

/* Can it be used? If not, its lines say why. */
bool stage_good(const struct ctl_stage *stage);

/*
 * Line @n of what is to be said of it, in @buf, which is returned; NULL behind the
 * last.
 */
const char *stage_line(const struct ctl_stage *stage, uint64_t n, char *buf,
		       size_t size);

/* It is in force from now on, and the events' rules are its. Takes @stage->written. */
void stage_applied(struct ctl *ctl, struct ctl_stage *stage);

#endif
