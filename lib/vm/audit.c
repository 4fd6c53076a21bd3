// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A policy that is tightened while the VM runs: values that it forbids and that a vCPU
 * already has.
 *
 * Pins are judged when a register is written. A value that the previous policy allowed is
 * usually never written again, so it would stay unnoticed. Therefore each armed vCPU is
 * compared with the new policy once, before it enters. Its registers are compared with
 * their values at the end of its set-up, with the VM's uniform values, with bits that must
 * never be set, and with the protections of the first vCPU. Nothing is undone: the owner
 * of the policy decides how to handle that vCPU.
 */
#include "audit.h"
#include "core.h"
#include "floor.h"
#include "lib/judge/judge.h"
#include "lib/kvm/regs.h"
#include "lib/policy/policy.h"
#include "types.h"
#include "violation.h"

/**
 * struct audit - the comparison of one vCPU with one policy
 * @vcpu: the vCPU, on its own thread
 * @policy: its new policy
 * @now: its registers
 * @own: its protections, for `require`
 * @first: protections of the VM's first armed vCPU; all zero if @vcpu is that one
 * @blind: KVM does not return @own
 */
struct audit {
	struct regpin_vcpu *vcpu;
	const struct regpin_policy *policy;
	struct snapshot now;
	struct protections own, first;
	bool blind;
};

static void report(const struct audit *audit, const struct rule *rule,
		   const struct access *access, uint64_t bits, bool old_unread)
{
	const struct judged judged = {
		.policy = audit->policy, .access = *access,
		.verdict = {
			.action = REGPIN_REPORT, .rule = rule, .bits = bits,
			.value = access->new_value,
		},
	};
	struct regpin_event event;

	violation_make(audit->vcpu, &judged, REGPIN_EVENT_DETECTED,
		       access->new_value, old_unread ? REGPIN_UNREAD_OLD : 0,
		       &event);
	event.detail = REGPIN_FOUND_BY_POLICY;
	vm_send_event(audit->vcpu->vm, audit->vcpu, &event);
}

/* The registers with which a rule compares a vCPU's registers. */
enum compared {
	COMPARED_NOT,		/* the rule is about accesses that have been made */
	COMPARED_NEVER,		/* no value: `never` forbids its bits whenever they were set */
	COMPARED_SET_UP,	/* the values at the end of the vCPU's set-up */
	COMPARED_CHANGE,	/* the same, but only if the value has changed since */
	COMPARED_FIRST,		/* the protections of the VM's first vCPU */
};

/* The switch has no default, so that the compiler warns if a new type has no case. */
static enum compared compared_with(const struct rule *rule)
{
	switch ((enum rule_type)rule->type) {
	case RULE_STICKY:
	case RULE_FROZEN:
	case RULE_UNIFORM:	/* floor_judge_state() has the VM's value */
		return COMPARED_SET_UP;
	case RULE_ONCE:
		return COMPARED_CHANGE;
	case RULE_NEVER:
		return COMPARED_NEVER;
	case RULE_REQUIRE:
		return COMPARED_FIRST;
	case RULE_DENY:
	case RULE_VALUE:
	case RULE_ALLOW:
	case RULE_REPORT:
	case RULE_DEFAULT:
	case RULE_UNKNOWN:
	case RULE_INVALID:
	case RULE_TYPE_MAX:
		break;
	}
	return COMPARED_NOT;
}

/*
 * Judges a pin as if the guest had just replaced @then, the value at the end of its
 * set-up, with @now.
 */
static void audit_pin(const struct audit *audit, const struct rule *rule,
		      unsigned int kind, int slot, uint64_t then, uint64_t now)
{
	uint32_t index = kind == REGPIN_MSR ? replay_registers[slot] : 0;
	uint32_t bit = snapshot_bit(kind, slot);
	enum compared how = compared_with(rule);
	struct access access = {
		.kind = (uint8_t)kind, .write = true, .index = index,
		.old_value = how == COMPARED_NEVER ? now & ~rule->mask : then,
		.new_value = now,
	};
	struct judge_state state = { .armed = true };
	uint64_t bits;

	if (audit->now.unread & bit ||
	    (how == COMPARED_CHANGE && then == now))
		return;
	if (how != COMPARED_NEVER)
		floor_judge_state(audit->vcpu, &access, &state);
	bits = judge_pin(rule, &state, &access);
	access.old_value = then;
	if (bits)
		report(audit, rule, &access, bits,
		       audit->vcpu->life.phase != PHASE_READY ||
			       audit->vcpu->life.set_up_values.unread & bit);
}

static void audit_required(const struct audit *audit, const struct rule *rule)
{
	struct access access = {
		.kind = rule->kind, .write = true, .index = rule->index,
	};
	uint64_t first, bits;

	if (audit->blind)
		return;
	switch (rule->kind) {
	case REGPIN_CR0:
		first = audit->first.cr0;
		access.new_value = audit->own.cr0;
		break;
	case REGPIN_CR4:
		first = audit->first.cr4;
		access.new_value = audit->own.cr4;
		break;
	default:	/* EFER is the only MSR that `require` may name. */
		first = audit->first.efer;
		access.new_value = audit->own.efer;
		break;
	}
	bits = rule->mask & first & ~access.new_value;
	/* `require` is about the bits that are set now, not about those at the set-up. */
	if (bits)
		report(audit, rule, &access, bits, true);
}

static void audit_rule(const struct audit *audit, const struct rule *rule)
{
	const struct snapshot *then = &audit->vcpu->life.set_up_values;
	const struct snapshot *now = &audit->now;
	enum compared how = compared_with(rule);

	if (how == COMPARED_FIRST)
		audit_required(audit, rule);
	if (how == COMPARED_FIRST || how == COMPARED_NOT)
		return;
	/* Before its set-up is finished, a vCPU has no values to be compared with. */
	if (audit->vcpu->life.phase != PHASE_READY && how != COMPARED_NEVER)
		return;
	if (rule->kind != REGPIN_MSR) {
		unsigned int i = rule->kind - REGPIN_CR0;

		audit_pin(audit, rule, rule->kind, 0, then->crs[i],
			  now->crs[i]);
		return;
	}
	for (int i = 0; i < NR_REPLAY; i++)
		if (rule_covers(rule, REGPIN_MSR, replay_registers[i]))
			audit_pin(audit, rule, REGPIN_MSR, i, then->msrs[i],
				  now->msrs[i]);
}

/*
 * Reads the registers. Where control registers are polled, takes those of the last poll:
 * the next poll detects later changes, and carries out an action.
 */
static void take_registers(struct audit *audit)
{
	struct regpin_vcpu *vcpu = audit->vcpu;
	struct regpin_vm *vm = vcpu->vm;

	vcpu_snapshot(&vcpu->io, &audit->now);
	audit->blind = !vcpu_get_protections(&vcpu->io, &audit->own);
	for (unsigned int i = 0;
	     vm->polled && vcpu->detect.polled_at && i < NR_CRS; i++) {
		audit->now.crs[i] = vcpu->detect.seen[i];
		audit->now.unread &= ~snapshot_bit(REGPIN_CR0 + i, 0);
	}
	vm_lock(vm);
	if (vm->values.first && vm->values.first != vcpu)
		audit->first = vm->values.first_protections;
	vm_unlock(vm);
}

bool audit_policy(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	struct audit audit = { .vcpu = vcpu, .policy = policy };
	struct vm_policies *policies = &vcpu->vm->policies;
	uint32_t swaps = atomic_load(&policies->swaps);
	bool current;

	if (vcpu->detect.audited_swaps == swaps)
		return true;
	vm_lock(vcpu->vm);
	swaps = atomic_load(&policies->swaps);
	current = atomic_load(&policies->now) == policy;
	vm_unlock(vcpu->vm);
	/* Another swap after @policy was read has alerted this vCPU once more. */
	if (!current)
		return true;
	if (vcpu_is_pinned(vcpu)) {
		if (!vcpu_shows_kernel(&vcpu->io, &vcpu->guest))
			return false;
		take_registers(&audit);
		for (uint32_t i = 0; i < policy->nr_rules; i++)
			audit_rule(&audit, &policy->rules[i]);
	}
	vcpu->detect.audited_swaps = swaps;
	return true;
}
