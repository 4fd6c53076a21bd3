// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The floor: the bits that a vCPU must have set when it starts beside armed ones. After
 * an INIT, or when it is new, all its bits are clear, so no pin of its own can hold.
 *
 * The vCPU is compared with the first armed one: a bit that the first one does not have
 * may be missing in the guest's CPU or kernel. The vCPU is checked when it turns paging
 * on, because its code could do harm from then on, and when it sets LSTAR, because its
 * kernel has started then.
 */
#include <time.h>

#include "core.h"
#include "floor.h"
#include "hold.h"
#include "lib/judge/judge.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "lib/policy/action.h"
#include "lib/policy/registers.h"
#include "types.h"
#include "violation.h"

/*
 * Adds the first vCPU's protections to those that are known. Bits are never removed:
 * otherwise the guest could clear bits on its first vCPU, and the other vCPUs would no
 * longer need them. Registers without paging are not a kernel's, and are left out: after
 * an INIT or a triple fault KVM shows empty registers at once, but reports the INIT only
 * after the SIPI, and the triple fault only by an exit. Caller holds the VM lock.
 */
static void note_locked(struct regpin_vm *vm, const struct protections *has)
{
	struct protections *first = &vm->values.first_protections;

	if (!(has->cr0 & CR0_PG))
		return;
	first->cr0 |= has->cr0;
	first->cr4 |= has->cr4;
	first->efer |= has->efer;
}

/*
 * Notes the protections that the first vCPU has now. In SMM or in L2 the registers are not
 * the kernel's. Caller holds the VM lock.
 */
static void note_first_locked(struct regpin_vm *vm)
{
	struct protections has;

	if (vcpu_get_protections(&vm->values.first->io, &has) &&
	    !floor_in_smm_or_l2(vm->values.first))
		note_locked(vm, &has);
}

bool floor_is_queried(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;
	bool asks;

	if (atomic_load(&vm->values.first_query) == atomic_load(&vm->values.first_reply))
		return false;
	vm_lock(vm);
	asks = vm->values.first == vcpu;
	vm_unlock(vm);
	return asks;
}

void floor_answer_query(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;
	uint32_t asked = atomic_load(&vm->values.first_query);

	if (asked == atomic_load(&vm->values.first_reply))
		return;
	vm_lock(vm);
	if (vm->values.first == vcpu) {
		note_first_locked(vm);
		atomic_store(&vm->values.first_reply, asked);
	}
	vm_unlock(vm);
}

/*
 * Returns the protections of the first armed vCPU. Its kernel sets further bits of CR4
 * while it boots, and no filter shows these writes. So if @now, the first vCPU is queried:
 * it is kicked until it has replied on its own thread.
 *
 * KVM_GET_* from another thread would block on the vCPU's mutex for as long as the vCPU is
 * in KVM_RUN, which may be forever if it halts. So this thread reads the registers itself
 * only if the first vCPU is not `inside` and was alerted in the round before: if that vCPU
 * is to enter now, it looks first, and then waits for the VM lock that this thread holds.
 */
static struct protections get_first_protections(struct regpin_vcpu *vcpu,
						bool now)
{
	const struct timespec moment = { 0, 200000 };
	struct regpin_vcpu *first, *alerted = NULL;
	struct regpin_vm *vm = vcpu->vm;
	struct protections had;
	uint32_t asked = 0;
	bool wait;

	now = now && vm->options.kick;
	if (now)
		asked = atomic_fetch_add(&vm->values.first_query, 1) + 1;
	do {
		vm_lock(vm);
		first = vm->values.first;
		wait = now && first && first != vcpu &&
		       (int32_t)(atomic_load(&vm->values.first_reply) - asked) < 0;
		if (wait && first == alerted && !atomic_load(&first->wake.inside)) {
			/* The first vCPU polls its control registers itself, before it enters. */
			atomic_store(&first->wake.ticked, true);
			note_first_locked(vm);
			wait = false;
		} else if (wait) {
			vcpu_alert(first);
			vcpu_kick(first);
			alerted = first;
		}
		had = vm->values.first_protections;
		vm_unlock(vm);
		if (wait)
			nanosleep(&moment, NULL);
	} while (wait);
	return had;
}

/*
 * Are the uniform values settled? If the first vCPU settles them at this moment, waits for
 * the few ioctls that this takes.
 */
static bool wait_for_values(struct regpin_vm *vm)
{
	uint32_t settled;

	while ((settled = atomic_load(&vm->values.settled)) == UNIFORM_SETTLING)
		__builtin_ia32_pause();
	return settled == UNIFORM_SETTLED;
}

bool floor_applies(struct regpin_vcpu *vcpu)
{
	return !(vcpu->life.phase == PHASE_READY && vcpu_is_pinned(vcpu)) &&
	       atomic_load(&vcpu->vm->gate.state) == GATE_OPEN &&
	       wait_for_values(vcpu->vm) && vm_is_armed(vcpu->vm);
}

void floor_query_first(struct regpin_vcpu *vcpu)
{
	if (floor_applies(vcpu))
		get_first_protections(vcpu, true);
}

void floor_note_protections(struct regpin_vcpu *vcpu,
			    const struct protections *had)
{
	struct regpin_vm *vm = vcpu->vm;

	vm_lock(vm);
	if (vm->values.first == vcpu)
		note_locked(vm, had);
	vm_unlock(vm);
}

/*
 * Adds the protections of the vCPU and of the first one to @state, if the floor applies.
 * Returns false if KVM does not return the vCPU's own; then these are 0.
 */
static bool add_floor(struct regpin_vcpu *vcpu, const struct access *access,
		      struct judge_state *state)
{
	bool shown;

	state->floor = judge_needs_own(access) && floor_applies(vcpu);
	if (!state->floor)
		return true;
	shown = vcpu_get_protections(&vcpu->io, &state->own);
	state->first = get_first_protections(vcpu, judge_needs_first(access));
	return shown;
}

/* Adds the values with which `once` and `uniform` compare the MSR to @state. */
static inline void add_values(struct regpin_vcpu *vcpu, const struct access *access,
			      struct judge_state *state)
{
	int slot = replay_slot(access->index);
	struct regpin_vm *vm = vcpu->vm;
	const struct uniform *uniform;

	if (slot < 0)
		return;
	state->once = vcpu->life.set_up_values.msrs[slot];
	uniform = &vm->values.uniform[slot];
	state->uniform_known = wait_for_values(vm) &&
			       atomic_load(&uniform->known) &&
			       atomic_load(&vm->gate.state) == GATE_OPEN;
	/* Take the bits that differ between vCPUs, such as EFER.LMA, from this vCPU. */
	state->uniform = atomic_load(&uniform->value);
	if (!replay_is_plain(access->index))
		state->uniform = replay_effective(&vcpu->guest, access->index,
						  access->old_value,
						  state->uniform);
}

void floor_judge_state(struct regpin_vcpu *vcpu, const struct access *access,
		       struct judge_state *state)
{
	unsigned int phase = vcpu->life.phase;

	*state = (struct judge_state){ .armed = vcpu_is_pinned(vcpu) };
	if (phase == PHASE_READY)
		state->setup_done = state->armed;
	else
		state->leftover = phase_again(phase);
	if (access->kind == REGPIN_MSR)
		add_values(vcpu, access, state);
	if (policy_may_require(vcpu->vm->policies.now))
		add_floor(vcpu, access, state);
}

/* Reports that the vCPU arms without @bits, which @rule requires. This can't be undone. */
static void report_lacking(struct regpin_vcpu *vcpu,
			   const struct regpin_policy *policy,
			   const struct rule *rule, uint64_t bits,
			   const struct protections *own,
			   struct regpin_event *event)
{
	const struct judged judged = {
		.policy = policy,
		.access = { .kind = rule->kind, .write = true, .index = rule->index },
		.verdict = {
			.action = action_interrupts(rule->action) ?
					  rule->action : REGPIN_REPORT,
			.rule = rule, .bits = bits,
			.value = !own ? 0 :
				 rule->kind == REGPIN_CR0 ? own->cr0 :
				 rule->kind == REGPIN_CR4 ? own->cr4 : own->efer,
		},
	};

	violation_make(vcpu, &judged, REGPIN_EVENT_DETECTED, judged.verdict.value,
		       REGPIN_UNREAD_OLD | (own ? 0 : REGPIN_UNREAD_NEW |
						      REGPIN_UNREAD_VALUE),
		       event);
	vm_send_event(vcpu->vm, vcpu, event);
}

void floor_check(struct regpin_vcpu *vcpu, uint64_t lstar)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	const struct access access = { .kind = REGPIN_MSR, .write = true,
				       .index = MSR_LSTAR, .old_value = lstar,
				       .new_value = lstar };
	struct regpin_event event, gravest = { .action = REGPIN_ALLOW };
	struct judge_state state = { 0 };
	const struct rule *rule;
	uint32_t at = 0;
	uint64_t bits;
	bool shown;

	shown = add_floor(vcpu, &access, &state);
	while ((rule = judge_next(policy, &state, &access, &at, &bits))) {
		if (rule->type != RULE_REQUIRE)
			continue;
		report_lacking(vcpu, policy, rule, bits,
			       shown ? &state.own : NULL, &event);
		if (action_is_graver(event.action, gravest.action))
			gravest = event;
	}
	hold_carry_out(vcpu, HOLD_DEADLINE, &gravest);
}
