// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The uniform values, which the VM's first armed vCPU settles and its other vCPUs must
 * write, and the values that a vCPU had at the end of its own set-up.
 */
#include "core.h"
#include "efer.h"
#include "floor.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "values.h"

static void settle_register(struct regpin_vcpu *vcpu, int slot, uint64_t value)
{
	struct uniform *uniform = &vcpu->vm->values.uniform[slot];

	/*
	 * A kernel that has not written PAT yet may do so later: on resume from S3, Linux
	 * restores PAT last.
	 */
	if (replay_registers[slot] == MSR_PAT && value == PAT_RESET)
		return;
	atomic_store(&uniform->value,
		     replay_effective(&vcpu->guest, replay_registers[slot],
				      value, value));
	atomic_store(&uniform->known, true);
}

void values_remember(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;
	struct protections has;

	vcpu_snapshot(&vcpu->io, &vcpu->life.set_up_values);
	for (int i = 0; vcpu->life.settled_uniform && i < NR_REPLAY; i++)
		settle_register(vcpu, i, vcpu->life.set_up_values.msrs[i]);
	efer_note(vcpu, vcpu->life.set_up_values.msrs[replay_slot(MSR_EFER)]);
	vcpu_get_protections(&vcpu->io, &has);
	vm_lock(vm);
	if (vcpu->life.settled_uniform || !vm->values.first)
		vm->values.first = vcpu;
	vm_unlock(vm);
	floor_note_protections(vcpu, &has);
}

void values_settle(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;
	uint32_t open = UNIFORM_OPEN;

	vcpu->life.in_setup = false;
	/* Clear the deadline only when the set-up is done: an INIT must not restart it. */
	vcpu->deadline.waived = false;
	vcpu->deadline.since = 0;
	vcpu->life.settled_uniform = atomic_compare_exchange_strong(
		&vm->values.settled, &open, UNIFORM_SETTLING);
	values_remember(vcpu);
	if (!vcpu->life.settled_uniform)
		return;
	atomic_store(&vm->values.settled, UNIFORM_SETTLED);
	/* Running vCPUs have a deadline from now on: each must compute its tick. */
	vm_alert(vm);
}

void values_forget_locked(struct regpin_vm *vm)
{
	for (int i = 0; i < NR_REPLAY; i++)
		atomic_store(&vm->values.uniform[i].known, false);
	atomic_store(&vm->values.settled, UNIFORM_OPEN);
	atomic_store(&vm->values.ended_by_time, false);
	vm->values.first = NULL;
	vm->values.first_protections = (struct protections){ 0 };
}

static bool is_uniform(const struct regpin_policy *policy, uint32_t index)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type == RULE_UNIFORM &&
		    rule_covers(&policy->rules[i], REGPIN_MSR, index))
			return true;
	return false;
}

void values_settle_pat(struct regpin_vcpu *vcpu, uint64_t value)
{
	struct uniform *uniform = &vcpu->vm->values.uniform[replay_slot(MSR_PAT)];
	struct regpin_event event = { .type = REGPIN_EVENT_SETTLED,
				      .index = MSR_PAT, .write = 1,
				      .old_value = PAT_RESET,
				      .new_value = value, .value = value,
				      .rule = REGPIN_NO_RULE };

	if (atomic_load(&vcpu->vm->values.settled) != UNIFORM_SETTLED ||
	    atomic_load(&uniform->known))
		return;
	settle_register(vcpu, replay_slot(MSR_PAT), value);
	if (atomic_load(&uniform->known) &&
	    is_uniform(vcpu->vm->policies.now, MSR_PAT))
		vm_send_event(vcpu->vm, vcpu, &event);
}
