/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vCPU that waits for an operator's answer, or has one. */
#ifndef REGPIN_LIB_HOLD_H
#define REGPIN_LIB_HOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "regpin/event.h"

struct regpin_vcpu;

/* Why a vCPU is held; struct hold's @why. */
enum hold_why {
	HOLD_NOT,
	HOLD_ACCESS,	/* it stands before an instruction */
	HOLD_INIT,	/* it has had an INIT, and not run since */
	HOLD_DEADLINE,	/* it has not armed in time */
	HOLD_DETECTED,	/* its registers were found changed */
};

/**
 * struct hold - a vCPU that waits for an answer, or has one
 * @why: enum hold_why; under the VM's lock
 * @answer: REGPIN_ACTION_MAX while there is none; likewise
 * @event: what was reported of it
 * @ticket: the answer to an access that has yet to come again, or
 *	REGPIN_ACTION_MAX; good for once
 * @access: what was reported of that one
 */
struct hold {
	_Atomic uint32_t why;
	_Atomic uint32_t answer;
	struct regpin_event event;
	uint32_t ticket;
	struct regpin_event access;
};

/* Takes @event's access back and holds the vCPU. Returns 1, for the exit. */
int hold_access(struct regpin_vcpu *vcpu, const struct regpin_event *event);

/* Holds the vCPU, which stands before no instruction of note. */
void hold_vcpu(struct regpin_vcpu *vcpu, enum hold_why why,
	       const struct regpin_event *event);

/*
 * The answer to @access, if the vCPU was held for it: REGPIN_ALLOW or REGPIN_GP.
 * Otherwise REGPIN_PAUSE. An answer is used once.
 */
enum regpin_action hold_ticket(struct regpin_vcpu *vcpu,
			       const struct regpin_event *event);

/* Does the vCPU still wait? If not, what was answered is done. */
bool hold_waits(struct regpin_vcpu *vcpu);

/* Nothing is held any more. */
void hold_drop(struct regpin_vcpu *vcpu);

#endif
