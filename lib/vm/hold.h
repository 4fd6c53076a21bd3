/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vCPU that waits for an operator's answer, or has one. */
#ifndef REGPIN_LIB_HOLD_H
#define REGPIN_LIB_HOLD_H

#include "types.h"

/*
 * Carries out @event's action: holds the vCPU because of @why, or stops the VM. With
 * HOLD_ACCESS, takes the instruction back first, so that it is executed again later.
 * Returns false if the action is neither, so the vCPU continues.
 */
bool hold_carry_out(struct regpin_vcpu *vcpu, enum hold_why why,
		    const struct regpin_event *event);

/*
 * Returns the answer to the access of @event if the vCPU was held for that access before:
 * REGPIN_ALLOW or REGPIN_GP. Otherwise REGPIN_PAUSE. An answer is used once.
 */
enum regpin_action hold_use_answer(struct regpin_vcpu *vcpu,
				   const struct regpin_event *event);

/* The vCPU is no longer held, and no answer is left. */
void hold_drop(struct regpin_vcpu *vcpu);

#endif
