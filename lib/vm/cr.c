// SPDX-License-Identifier: LGPL-2.1-or-later
/* The exits of KVM's CR filter: a guest's write to a control register, and INIT. */
#include <errno.h>
#include <string.h>

#include "core.h"
#include "cr.h"
#include "floor.h"
#include "hold.h"
#include "init.h"
#include "lib/judge/judge.h"
#include "lib/policy/action.h"
#include "violation.h"

static int init_exit(struct regpin_vcpu *vcpu, const struct regpin_cr_write *w)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	struct regpin_event event = {
		.type = REGPIN_EVENT_INIT,
		.kind = REGPIN_CR4,
		.old_value = w->init.cr4,
		.new_value = w->init.cr0,
		.value = w->init.efer,
		.action = policy->settings.init_action,
		.rule = REGPIN_NO_RULE,
	};
	const struct protections had = { w->init.cr0, w->init.cr4,
					 w->init.efer };
	bool armed;

	/* KVM has carried out the INIT: there is nothing to answer, and nothing pending. */
	floor_note_protections(vcpu, &had);
	armed = init_take_pins(vcpu);
	floor_query_first(vcpu);
	if (!armed || event.action == REGPIN_ALLOW)
		return 1;
	vm_send_event(vcpu->vm, vcpu, &event);
	hold_carry_out(vcpu, HOLD_INIT, &event);
	return 1;
}

/* Answers the exit according to @action. Returns 1: the exit is never the VMM's. */
static int complete_write(struct regpin_vcpu *vcpu, struct regpin_cr_write *w,
			  unsigned int action, uint64_t value)
{
	vcpu->io.answered = true;
	w->error = action_refuses(action);
	if (!w->error)
		w->value = value;
	return 1;
}

static int write_exit(struct regpin_vcpu *vcpu, struct regpin_cr_write *w)
{
	struct judged judged = {
		.policy = vcpu->vm->policies.now,
		.access = {
			.kind = (uint8_t)(REGPIN_CR0 + w->reg),
			.write = true,
			.old_value = w->old_value,
			.new_value = w->value,
		},
	};
	const struct verdict *verdict = &judged.verdict;
	struct regpin_event event;

	floor_judge_state(vcpu, &judged.access, &judged.state);
	judge(judged.policy, &judged.state, &judged.access, &judged.verdict);
	if (!verdict->rule)
		return complete_write(vcpu, w, verdict->action, verdict->value);
	violation_make(vcpu, &judged, REGPIN_EVENT_VIOLATION,
		       judged.access.new_value, 0, &event);
	if (verdict->action == REGPIN_PAUSE) {
		enum regpin_action answer = hold_use_answer(vcpu, &event);

		if (answer != REGPIN_PAUSE)
			return complete_write(vcpu, w, answer,
					      judged.access.new_value);
	}
	violation_send(vcpu, &judged, &event);
	return hold_carry_out(vcpu, HOLD_ACCESS, &event) ? 1 :
		complete_write(vcpu, w, verdict->action, verdict->value);
}

int cr_exit(struct regpin_vcpu *vcpu)
{
	struct regpin_cr_write *w = regpin_cr_write(vcpu->io.run);

	/*
	 * The exit is from a CR filter of the VMM's own. The shim allows the VMM no filter
	 * once a policy has had one, because a VMM ends its VM at an exit that it does not know.
	 */
	if (!vcpu->vm->filters.crs_wanted &&
	    !atomic_load(&vcpu->vm->filters.crs_ever_set))
		return 0;
	if (w->cause == KVM_X86_CR_CAUSE_INIT)
		return init_exit(vcpu, w);
	if (w->reg >= NR_CRS) {
		/* A newer KVM's register, for which no filter has asked. */
		w->error = 1;
		vcpu->io.answered = true;
		return 1;
	}
	return write_exit(vcpu, w);
}
