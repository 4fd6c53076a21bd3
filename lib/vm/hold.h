/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vCPU that waits for an operator's answer, or has one. */
#ifndef REGPIN_LIB_HOLD_H
#define REGPIN_LIB_HOLD_H

#include "types.h"

/*
 * Carries out @event's action on the vCPU itself: holds it for an answer, as @why says,
 * or stops the VM. HOLD_ACCESS stands before an instruction, which is taken back first;
 * the others before none of note. False: the action is none of these, and the vCPU goes
 * on.
 */
bool hold_carry_out(struct regpin_vcpu *vcpu, enum hold_why why,
		    const struct regpin_event *event);

/*
 * The answer to @access, if the vCPU was held for it: REGPIN_ALLOW or REGPIN_GP.
 * Otherwise REGPIN_PAUSE. An answer is used once.
 */
enum regpin_action hold_use_answer(struct regpin_vcpu *vcpu,
				   const struct regpin_event *event);

/* Nothing is held any more. */
void hold_drop(struct regpin_vcpu *vcpu);

#endif
