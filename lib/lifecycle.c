// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: a vCPU is armed when it first gives LSTAR a value, which
 * is when an operating system has taken over from firmware, and stays so until
 * the VMM resets it. LSTAR and SFMASK are always watched, so a guest can't take
 * it back. The VM is armed while any of its vCPUs is. The first armed vCPU
 * settles the uniform values when it has finished its syscall set-up.
 *
 * INIT is not seen on a KVM without the CR filter: a vCPU keeps its syscall
 * MSRs through it, and here stays armed.
 */
#include "lifecycle.h"

struct state lifecycle_state(const struct regpin_vcpu *vcpu,
			     const struct access *access)
{
	struct state state = {
		.armed = vcpu->armed,
		.setup_done = vcpu->setup_done,
	};
	int slot = replay_slot(access->index);

	if (slot >= 0) {
		const struct uniform *uniform = &vcpu->vm->uniform[slot];

		state.uniform_known = atomic_load(&uniform->known);
		/* But for bits that are the vCPU's own, such as EFER.LMA. */
		state.uniform = replay_effective(&vcpu->guest, access->index,
						 access->old_value,
						 atomic_load(&uniform->value));
	}
	return state;
}

/* The values that this vCPU has are those that the others must write. */
static void settle(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;
	uint32_t nobody = 0;
	struct snapshot now;

	if (!atomic_compare_exchange_strong(&vm->settled, &nobody, 1))
		return;
	vcpu_snapshot(vcpu, &now);
	for (int i = 0; i < NR_REPLAY; i++) {
		uint64_t value = replay_effective(&vcpu->guest,
						  replay_registers[i],
						  now.msrs[i], now.msrs[i]);

		atomic_store(&vm->uniform[i].value, value);
		atomic_store(&vm->uniform[i].known, true);
	}
}

static void set_up(struct regpin_vcpu *vcpu)
{
	if (vcpu->setup_done)
		return;
	vcpu->setup_done = true;
	settle(vcpu);
}

static void arm(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = { .type = REGPIN_EVENT_ARMED,
				      .rule = REGPIN_NO_RULE };

	if (vcpu->armed)
		return;
	vcpu->armed = true;
	atomic_fetch_add(&vcpu->vm->armed, 1);
	vm_event(vcpu->vm, vcpu, &event);
}

void lifecycle_gone(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;

	if (!vcpu->armed)
		return;
	vcpu->armed = false;
	vcpu->setup_done = false;
	/* The last one to go takes the VM's values along. */
	if (atomic_fetch_sub(&vm->armed, 1) != 1)
		return;
	for (int i = 0; i < NR_REPLAY; i++)
		atomic_store(&vm->uniform[i].known, false);
	atomic_store(&vm->settled, 0);
}

static void disarm(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = { .type = REGPIN_EVENT_RESET,
				      .rule = REGPIN_NO_RULE };

	lifecycle_gone(vcpu);
	vm_event(vcpu->vm, vcpu, &event);
}

void lifecycle_written(struct regpin_vcpu *vcpu, uint32_t index,
		       uint64_t value)
{
	uint64_t other = 0;

	if (vcpu->setup_done)
		return;
	if (index == MSR_LSTAR && value) {
		arm(vcpu);
		/* Some systems write SFMASK first; then this was the end. */
		vcpu_get_msr(vcpu, MSR_SFMASK, &other);
	} else if (index == MSR_SFMASK && vcpu->armed) {
		/* Armed from the start, a vCPU may still have no LSTAR. */
		vcpu_get_msr(vcpu, MSR_LSTAR, &other);
	}
	if (other)
		set_up(vcpu);
}

void lifecycle_look(struct regpin_vcpu *vcpu)
{
	const struct regpin_policy *policy = vcpu->vm->policy;
	uint64_t lstar = 0, sfmask = 0;

	if (vcpu->setup_done)
		return;
	vcpu_get_msr(vcpu, MSR_LSTAR, &lstar);
	if (policy->arming == ARM_START || (lstar && vcpu_paging(vcpu)))
		arm(vcpu);
	if (!vcpu->armed || !lstar)
		return;
	vcpu_get_msr(vcpu, MSR_SFMASK, &sfmask);
	if (sfmask)
		set_up(vcpu);
}

bool lifecycle_reset(struct regpin_vcpu *vcpu, const struct snapshot *before,
		     const struct snapshot *after)
{
	int lstar = replay_slot(MSR_LSTAR);

	/*
	 * Paging goes off, or, on a CPU that waits for its SIPI with paging
	 * off already, the entry point is gone. A VMM that merely writes back
	 * what it read does neither.
	 */
	if (after->paging)
		return false;
	if (!before->paging && (!before->msrs[lstar] || after->msrs[lstar]))
		return false;
	disarm(vcpu);
	return true;
}
