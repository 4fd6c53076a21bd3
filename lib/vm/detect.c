// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Detection of what cannot be stopped: changed control registers on a KVM without the CR
 * filter, and a vCPU that runs beside armed ones and does not arm.
 *
 * A poll reads the registers at one moment: a change that the guest undoes between two
 * polls goes unnoticed. Time is the run time of the vCPU's thread, because a vCPU that
 * does not run changes nothing.
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
 * struct poll - one poll of a vCPU's control registers
 * @policy: the policy in force
 * @now: the registers
 * @then: the registers, but with the bits that violate a rule as they were at the last
 *	poll; rules that only report do not count
 * @efer: EFER
 * @since: time since the last poll, in microseconds
 * @action: the gravest action of the violations that were found
 * @event: the event of that violation
 */
struct poll {
	const struct regpin_policy *policy;
	uint64_t now[NR_CRS], then[NR_CRS];
	uint64_t efer;
	uint64_t since;
	uint8_t action;
	struct regpin_event event;
};

/* Reports that the register with index @i violates @rule in @bits. */
static void report_found(struct regpin_vcpu *vcpu, struct poll *poll, int i,
			 const struct access *access, const struct rule *rule,
			 uint64_t bits)
{
	/*
	 * The rule's action is for writes that can be stopped; here the action of
	 * `detect` applies.
	 */
	const struct verdict verdict = {
		.action = rule->action == REGPIN_REPORT ?
			REGPIN_REPORT : poll->policy->settings.detect_action,
		.rule = rule, .bits = bits, .value = poll->now[i],
	};
	const struct judged judged = {
		.policy = poll->policy, .access = *access, .verdict = verdict,
	};
	struct regpin_event event;

	violation_make(vcpu, &judged, REGPIN_EVENT_DETECTED, poll->now[i], 0,
		       &event);
	if (verdict.action != REGPIN_REPORT)
		poll->then[i] = (poll->then[i] & ~bits) |
				(vcpu->detect.seen[i] & bits);
	if (verdict.action == REGPIN_MASK)
		event.value = poll->then[i];
	event.detail = poll->since >= REGPIN_FOUND_BY_POLICY ?
			       REGPIN_FOUND_BY_POLICY - 1 :
			       (uint32_t)poll->since;
	if (action_is_graver(verdict.action, poll->action)) {
		poll->action = verdict.action;
		poll->event = event;
	}
	vm_send_event(vcpu->vm, vcpu, &event);
}

/*
 * Judges one register as if the guest had changed it in one write. The change has
 * happened, so each rule that it violates is reported.
 */
static void judge_register(struct regpin_vcpu *vcpu, struct poll *poll, int i)
{
	struct access access = {
		.kind = (uint8_t)(REGPIN_CR0 + i), .write = true,
		.old_value = vcpu->detect.seen[i], .new_value = poll->now[i],
	};
	struct judge_state state = { .armed = true };
	const struct rule *rule;
	uint32_t at = 0;
	uint64_t bits;

	while ((rule = judge_next(poll->policy, &state, &access, &at, &bits)))
		report_found(vcpu, poll, i, &access, rule, bits);
}

/* Writes @values to the registers; to XCR0 only if that changes it. */
static bool restore_bits(struct regpin_vcpu *vcpu,
			 const uint64_t values[NR_CRS])
{
	int xcr0 = REGPIN_XCR0 - REGPIN_CR0;

	return vcpu_set_crs(&vcpu->io, values, values[xcr0] != vcpu->detect.seen[xcr0]);
}

void detect_poll(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	struct poll poll = { .policy = policy };
	uint64_t time = vcpu_run_time();

	/* In SMM or in L2 the registers are not the kernel's: poll at the next entry. */
	if (!vcpu_shows_kernel(&vcpu->io, &vcpu->guest)) {
		atomic_store(&vcpu->wake.ticked, true);
		return;
	}
	if (!vcpu_get_crs(&vcpu->io, true, poll.now, &poll.efer))
		return;
	if (init_find_in_poll(vcpu, poll.now, poll.efer)) {
		vcpu->detect.polled_at = 0;
		return;
	}
	floor_note_protections(vcpu,
			       &(struct protections){ poll.now[0], poll.now[1],
						      poll.efer });
	efer_note(vcpu, poll.efer);
	memcpy(poll.then, poll.now, sizeof(poll.then));
	poll.since = (time - vcpu->detect.polled_at) / 1000;
	for (int i = 0; vcpu->detect.polled_at && i < NR_CRS; i++)
		judge_register(vcpu, &poll, i);
	vcpu->detect.polled_at = time;
	if (poll.action == REGPIN_MASK) {
		/* The vCPU must not run without the bits. */
		if (!restore_bits(vcpu, poll.then))
			vm_stop_with_event(vcpu, &poll.event, -EIO);
		memcpy(vcpu->detect.seen, poll.then, sizeof(vcpu->detect.seen));
		return;
	}
	/* The operator's answer may restore the bits. */
	for (int i = 0; i < NR_CRS; i++)
		vcpu->detect.to_restore[i] = poll.now[i] ^ poll.then[i];
	hold_carry_out(vcpu, HOLD_DETECTED, &poll.event);
	memcpy(vcpu->detect.seen, poll.now, sizeof(vcpu->detect.seen));
}

void detect_apply_answer(struct regpin_vcpu *vcpu, bool back)
{
	uint64_t now[NR_CRS];

	if (!back || !vcpu_get_crs(&vcpu->io, true, now, NULL))
		return;
	/* The guest has not run since, but the VMM may have written other bits. */
	for (int i = 0; i < NR_CRS; i++)
		now[i] = (now[i] & ~vcpu->detect.to_restore[i]) |
			 (~vcpu->detect.seen[i] & vcpu->detect.to_restore[i]);
	if (!restore_bits(vcpu, now))
		vm_stop_with_event(vcpu, &vcpu->hold.event, -EIO);
	memcpy(vcpu->detect.seen, now, sizeof(now));
}

/*
 * Has the vCPU run for @ms since the first call? All code that the vCPU executes counts,
 * because code without paging can write memory as well. A halted vCPU does not run.
 */
static bool time_is_up(struct regpin_vcpu *vcpu, uint32_t ms)
{
	uint64_t time = vcpu_run_time();

	/* Another thread's clock starts at another time. */
	if (!vcpu->deadline.since || time < vcpu->deadline.since) {
		vcpu->deadline.since = time;
		return false;
	}
	return time - vcpu->deadline.since >= ms * 1000000ull;
}

static void report_deadline(struct regpin_vcpu *vcpu,
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
	vcpu->deadline.waived = true;
	vm_send_event(vcpu->vm, vcpu, &event);
	hold_carry_out(vcpu, HOLD_DEADLINE, &event);
}

/* The time for a set-up under a policy without a deadline. */
#define SET_UP_MS	2000

void detect_check_time(struct regpin_vcpu *vcpu,
		       const struct regpin_policy *policy)
{
	uint32_t ms = policy->settings.deadline_ms;
	bool late = floor_applies(vcpu);

	/* Where the first vCPU's kernel wrote no SFMASK, the others will not either. */
	if (vcpu->life.in_setup && (!late || !ms || vcpu->deadline.waived ||
			       atomic_load(&vcpu->vm->values.ended_by_time))) {
		ms = ms ? ms : SET_UP_MS;
		if (time_is_up(vcpu, ms))
			lifecycle_end_setup(vcpu, ms);
	} else if (ms && late && !vcpu->deadline.waived &&
		   policy_has_pins(policy)) {
		/* Without pins nothing depends on the deadline: see policy_settings_act(). */
		report_deadline(vcpu, policy);
	}
}
