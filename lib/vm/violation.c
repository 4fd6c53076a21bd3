// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The events of a violation. The verdict names the rule that decided. If the access
 * happens nevertheless, each other rule that it violates gets an event of its own, because
 * otherwise one violation could hide another.
 */
#include <string.h>

#include "core.h"
#include "lib/judge/judge.h"
#include "lib/kvm/ioctl.h"
#include "lib/policy/action.h"
#include "violation.h"

/*
 * Notes where the guest is. Not inlined, so that violation_make() has no values to keep
 * across these calls.
 */
static __attribute__((noinline)) void note_position(struct regpin_vcpu *vcpu,
						    struct regpin_event *event)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (kvm_ioctl(vcpu->io.fd, KVM_GET_REGS, &regs) ||
	    kvm_ioctl(vcpu->io.fd, KVM_GET_SREGS, &sregs))
		return;
	event->has_rip = 1;
	event->rip = sregs.cs.base + regs.rip;
	event->cpl = sregs.ss.dpl;
}

void violation_make(struct regpin_vcpu *vcpu, const struct judged *judged,
		    uint32_t type, uint64_t proposed, unsigned int unread,
		    struct regpin_event *event)
{
	/* Callers fill @judged member by member, which costs less than clearing it first. */
	/* cppcheck-suppress ctuuninitvar */
	const struct regpin_policy *policy = judged->policy;
	const struct verdict *verdict = &judged->verdict;
	const struct access *access = &judged->access;

	/* One by one: an initializer would clear the whole event first, by a loop. */
	event->time = 0;
	event->old_value = unread & REGPIN_UNREAD_OLD ? 0 : access->old_value;
	event->new_value = proposed;
	event->value = unread & REGPIN_UNREAD_VALUE ? 0 : verdict->value;
	event->bits = verdict->bits;
	event->rip = 0;
	event->type = type;
	event->vm = event->vcpu = 0;
	event->index = access->index;
	event->rule = vm_rule_number(vcpu->vm, policy, verdict->rule);
	event->detail = 0;
	event->policy = policy->number;
	event->kind = access->kind;
	event->action = verdict->action;
	event->write = access->write;
	event->cpl = event->has_rip = 0;
	event->unread = (uint8_t)unread;
	memset(event->pad, 0, sizeof(event->pad));
	if (type == REGPIN_EVENT_VIOLATION)
		note_position(vcpu, event);
}

/*
 * Sends an event for each rule that @access violates and whose action is @action
 * (REGPIN_ACTION_MAX: any), except the rule that decided.
 */
static void send_others(struct regpin_vcpu *vcpu, const struct judged *judged,
			const struct access *access, unsigned int action,
			const struct regpin_event *decided)
{
	struct regpin_event event = *decided;
	const struct rule *rule;
	uint32_t at = 0;
	uint64_t bits;

	while ((rule = judge_next(judged->policy, &judged->state, access, &at,
				  &bits))) {
		event.bits = bits;
		event.rule = vm_rule_number(vcpu->vm, judged->policy, rule);
		if (action != REGPIN_ACTION_MAX)
			event.action = (uint8_t)action;
		/* `report` is for accesses that have no other event. */
		if (event.rule != decided->rule && rule->type != RULE_REPORT &&
		    (action == REGPIN_ACTION_MAX || rule->action == action))
			vm_send_event(vcpu->vm, vcpu, &event);
	}
}

/* The bits of the access that violate the rule that decided. */
static uint64_t own_bits(const struct judged *judged, uint64_t bits)
{
	const struct rule *rule;
	uint32_t at = 0;
	uint64_t own;

	while ((rule = judge_next(judged->policy, &judged->state, &judged->access,
				  &at, &own)))
		if (rule == judged->verdict.rule)
			return own;
	return bits;
}

/*
 * The access may happen, wholly or in part: each rule that lets it happen gets an event.
 * Not inlined, so that an access that is refused does not save the registers that this
 * function uses.
 */
static __attribute__((noinline)) void send_all(struct regpin_vcpu *vcpu,
					       const struct judged *judged,
					       struct regpin_event *event)
{
	struct access let = judged->access;

	event->bits = own_bits(judged, event->bits);
	vm_send_event(vcpu->vm, vcpu, event);
	/* The operator must know all violations that the answer may allow. */
	if (event->action == REGPIN_PAUSE) {
		send_others(vcpu, judged, &let, REGPIN_ACTION_MAX, event);
		return;
	}
	if (event->action == REGPIN_MASK)
		send_others(vcpu, judged, &let, REGPIN_MASK, event);
	/* Bits that the mask kept did not change, so they are not reported. */
	if (let.write)
		let.new_value = judged->verdict.value;
	send_others(vcpu, judged, &let, REGPIN_REPORT, event);
}

void violation_send(struct regpin_vcpu *vcpu, const struct judged *judged,
		    struct regpin_event *event)
{
	if (action_refuses(event->action) && event->action != REGPIN_PAUSE)
		vm_send_event(vcpu->vm, vcpu, event);
	else
		send_all(vcpu, judged, event);
}
