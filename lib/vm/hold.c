// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A vCPU that waits for an operator's answer.
 *
 * RIP is at the instruction for which the vCPU is held, and nothing is pending in KVM, so
 * its VMM can save, migrate or reset it meanwhile. After the answer the vCPU executes the
 * instruction again, and that one access gets the answer. If an interrupt comes first, the
 * accesses of its handler are judged by the policy.
 */
#include <errno.h>
#include <string.h>

#include "core.h"
#include "hold.h"
#include "lib/kvm/retract.h"
#include "types.h"

static void hold_set(struct regpin_vcpu *vcpu, enum hold_why why,
		     const struct regpin_event *event)
{
	vm_lock(vcpu->vm);
	vcpu->hold.event = *event;
	vcpu->hold.answer = REGPIN_ACTION_MAX;
	vcpu->hold.why = why;
	vm_unlock(vcpu->vm);
	vcpu_alert(vcpu);
}

int regpin_vcpu_retract(struct regpin_vcpu *vcpu)
{
	return vcpu_retract(&vcpu->io);
}

/* Takes @event's access back and holds the vCPU, or stops the VM if that can't be done. */
static void hold_access(struct regpin_vcpu *vcpu,
			const struct regpin_event *event)
{
	int err = vcpu_retract(&vcpu->io);

	/* Otherwise the guest would continue after an access without an answer. */
	if (err)
		vm_stop_with_event(vcpu, event, err);
	else
		hold_set(vcpu, HOLD_ACCESS, event);
}

bool hold_carry_out(struct regpin_vcpu *vcpu, enum hold_why why,
		    const struct regpin_event *event)
{
	switch (event->action) {
	case REGPIN_PAUSE:
		if (why == HOLD_ACCESS)
			hold_access(vcpu, event);
		else
			hold_set(vcpu, why, event);
		return true;
	case REGPIN_STOP:
		/* Leave RIP at the instruction, for inspection of the stopped VM. */
		if (why == HOLD_ACCESS)
			vcpu_retract(&vcpu->io);
		vm_stop(vcpu->vm, vcpu);
		return true;
	default:
		return false;
	}
}

void hold_drop(struct regpin_vcpu *vcpu)
{
	vm_lock(vcpu->vm);
	vcpu->hold.why = HOLD_NOT;
	vcpu->hold.ticket = REGPIN_ACTION_MAX;
	vm_unlock(vcpu->vm);
}

enum regpin_action hold_use_answer(struct regpin_vcpu *vcpu,
				   const struct regpin_event *event)
{
	const struct regpin_event *held = &vcpu->hold.access;

	enum regpin_action answer = vcpu->hold.ticket;

	if (answer == REGPIN_ACTION_MAX || held->kind != event->kind ||
	    held->index != event->index || held->write != event->write ||
	    held->new_value != event->new_value ||
	    held->old_value != event->old_value || held->rip != event->rip ||
	    held->cpl != event->cpl)
		return REGPIN_PAUSE;
	vcpu->hold.ticket = REGPIN_ACTION_MAX;
	return answer;
}

int regpin_vcpu_answer(struct regpin_vcpu *vcpu, unsigned int action)
{
	struct hold *hold = &vcpu->hold;
	int ret = -EINVAL;

	vm_lock(vcpu->vm);
	if (hold->why != HOLD_NOT && hold->answer == REGPIN_ACTION_MAX &&
	    (action == REGPIN_ALLOW || action == REGPIN_STOP ||
	     (action == REGPIN_GP && (hold->why == HOLD_ACCESS ||
				      hold->why == HOLD_DETECTED)))) {
		hold->answer = action;
		ret = 0;
	}
	vm_unlock(vcpu->vm);
	if (!ret)
		vcpu_alert(vcpu);
	return ret;
}
