// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Looking, where nothing can be stopped: control registers on a KVM without the CR
 * filter, and a vCPU that runs beside armed ones and does not arm.
 *
 * The registers are those at one moment; what a guest changes and puts back between
 * two looks is never seen. Time is the vCPU thread's own run time: a vCPU that
 * doesn't run can't change anything either.
 */
#include <linux/kvm.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core.h"
#include "detect.h"
#include "efer.h"
#include "floor.h"
#include "hold.h"
#include "init.h"
#include "lib/judge/judge.h"
#include "lib/kvm/regs.h"
#include "lib/policy/action.h"
#include "lifecycle.h"
#include "violation.h"

/**
 * struct look - one look at a vCPU's control registers
 * @policy: what it is judged by
 * @now: what they are
 * @efer: and what EFER is
 * @then: what they would be, had the violations been masked that count
 * @since: how long nobody had looked, in microseconds
 * @action: what is to be done
 * @event: of the violation that decides
 */
struct look {
	const struct regpin_policy *policy;
	uint64_t now[NR_CRS], then[NR_CRS];
	uint64_t efer;
	uint64_t since;
	uint8_t action;
	struct regpin_event event;
};

/* One rule that is violated by what was found. */
static void found(struct regpin_vcpu *vcpu, struct look *look, int i,
		  const struct access *access, const struct rule *rule,
		  uint64_t bits)
{
	/* The rule's action is about a write that could be stopped. */
	const struct verdict verdict = {
		.action = rule->action == REGPIN_REPORT ?
			REGPIN_REPORT : look->policy->settings.detect_action,
		.rule = rule, .bits = bits, .value = look->now[i],
	};
	const struct judged judged = { look->policy, NULL, access, &verdict };
	struct regpin_event event;

	violation_make(vcpu, &judged, REGPIN_EVENT_DETECTED, look->now[i], 0,
		       &event);
	if (verdict.action != REGPIN_REPORT)
		look->then[i] = (look->then[i] & ~bits) |
				(vcpu->detect.seen[i] & bits);
	if (verdict.action == REGPIN_MASK)
		event.value = look->then[i];
	event.detail = look->since >= REGPIN_FOUND_BY_POLICY ?
			       REGPIN_FOUND_BY_POLICY - 1 :
			       (uint32_t)look->since;
	if (action_is_graver(verdict.action, look->action)) {
		look->action = verdict.action;
		look->event = event;
	}
	vm_event(vcpu->vm, vcpu, &event);
}

/*
 * Judges one register as if the guest had written it at once. It has happened, so each
 * rule that has something against it is reported.
 */
static void look_at(struct regpin_vcpu *vcpu, struct look *look, int i)
{
	struct access access = {
		.kind = (uint8_t)(REGPIN_CR0 + i), .write = true,
		.old_value = vcpu->detect.seen[i], .new_value = look->now[i],
	};
	struct judge_state state = { .armed = true };
	const struct rule *rule;
	uint32_t at = 0;
	uint64_t bits;

	while ((rule = judge_next(look->policy, &state, &access, &at, &bits)))
		found(vcpu, look, i, &access, rule, bits);
}

/* Puts the bits back that @values has; XCR0 only if that changes it. */
static bool put_back(struct regpin_vcpu *vcpu, const uint64_t values[NR_CRS])
{
	int xcr0 = REGPIN_XCR0 - REGPIN_CR0;

	return vcpu_set_crs(&vcpu->io, values, values[xcr0] != vcpu->detect.seen[xcr0]);
}

void watch_look(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	struct look look = { .policy = policy };
	uint64_t time = vcpu_run_time();

	/* In SMM or in L2 the registers are another's: the next entry looks again. */
	if (!vcpu_shows_kernel(&vcpu->io, &vcpu->guest)) {
		atomic_store(&vcpu->wake.ticked, true);
		return;
	}
	if (!vcpu_get_crs(&vcpu->io, true, look.now, &look.efer))
		return;
	if (lifecycle_found(vcpu, look.now, look.efer)) {
		vcpu->detect.looked_at = 0;
		return;
	}
	floor_note(vcpu, &(struct protections){ look.now[0], look.now[1],
						look.efer });
	efer_seen(vcpu, look.efer);
	memcpy(look.then, look.now, sizeof(look.then));
	look.since = (time - vcpu->detect.looked_at) / 1000;
	for (int i = 0; vcpu->detect.looked_at && i < NR_CRS; i++)
		look_at(vcpu, &look, i);
	vcpu->detect.looked_at = time;
	if (look.action == REGPIN_MASK) {
		/* Without the bits it must not go on. */
		if (!put_back(vcpu, look.then))
			vm_stop_with(vcpu, &look.event, -EIO);
		memcpy(vcpu->detect.seen, look.then, sizeof(vcpu->detect.seen));
		return;
	}
	/* An answer may want them back. */
	for (int i = 0; i < NR_CRS; i++)
		vcpu->detect.back[i] = look.now[i] ^ look.then[i];
	vcpu_react(vcpu, HOLD_DETECTED, &look.event);
	memcpy(vcpu->detect.seen, look.now, sizeof(vcpu->detect.seen));
}

void watch_answered(struct regpin_vcpu *vcpu, bool back)
{
	uint64_t now[NR_CRS];

	if (!back || !vcpu_get_crs(&vcpu->io, true, now, NULL))
		return;
	/* Nothing ran since, but the VMM may have written something. */
	for (int i = 0; i < NR_CRS; i++)
		now[i] = (now[i] & ~vcpu->detect.back[i]) |
			 (~vcpu->detect.seen[i] & vcpu->detect.back[i]);
	if (!put_back(vcpu, now))
		vm_stop_with(vcpu, &vcpu->hold.event, -EIO);
	memcpy(vcpu->detect.seen, now, sizeof(now));
}

/*
 * Has it run for @ms since it was first asked? Whatever it does: code without paging
 * reaches memory just as well. A CPU that waits to be woken doesn't run.
 */
static bool time_is_up(struct regpin_vcpu *vcpu, uint32_t ms)
{
	uint64_t time = vcpu_run_time();

	/* Another thread has another clock. */
	if (!vcpu->late.since || time < vcpu->late.since) {
		vcpu->late.since = time;
		return false;
	}
	return time - vcpu->late.since >= ms * 1000000ull;
}

static void deadline(struct regpin_vcpu *vcpu,
		     const struct regpin_policy *policy)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_DEADLINE,
		.action = policy->settings.deadline_action,
		.detail = policy->settings.deadline_ms,
		.rule = REGPIN_NO_RULE,
	};

	if (!time_is_up(vcpu, event.detail))
		return;
	vcpu->late.waived = true;
	vm_event(vcpu->vm, vcpu, &event);
	vcpu_react(vcpu, HOLD_DEADLINE, &event);
}

/* For a policy without a deadline. */
#define SET_UP_MS	2000

void watch_time(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	uint32_t ms = policy->settings.deadline_ms;
	bool late = floor_late(vcpu);

	/* Where the first vCPU's kernel wrote no SFMASK, none of the others will. */
	if (vcpu->life.in_setup && (!late || !ms || vcpu->late.waived ||
			       atomic_load(&vcpu->vm->values.by_time))) {
		ms = ms ? ms : SET_UP_MS;
		if (time_is_up(vcpu, ms))
			lifecycle_overdue(vcpu, ms);
	} else if (ms && late && !vcpu->late.waived && policy_has_pins(policy)) {
		/* Without pins nothing depends on it: see policy_settings_act(). */
		deadline(vcpu, policy);
	}
}
