// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: a vCPU is armed when it first gives LSTAR a value, which
 * is when an operating system has taken over from firmware, and stays so until
 * the VMM resets it. LSTAR and SFMASK are always watched, so a guest can't take
 * it back. The VM is armed while any of its vCPUs is. The first armed vCPU
 * settles the uniform values when it has finished its syscall set-up. A state
 * that the VMM loads arms as it is written, before any vCPU enters: else a guest
 * could have been saved at a moment at which it passes for unarmed.
 *
 * INIT is not seen on a KVM without the CR filter: a vCPU keeps its syscall
 * MSRs through it, and here stays armed.
 */
#include <unistd.h>

#include "lifecycle.h"

/* What PAT is after a reset: SDM volume 3, "Page Attribute Table". */
#define PAT_RESET	0x0007040600070406ull

enum { OPEN, SETTLING, SETTLED };	/* struct regpin_vm's @settled */

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

		/* For the length of two ioctls on another vCPU's thread. */
		while (atomic_load(&vcpu->vm->settled) == SETTLING)
			__builtin_ia32_pause();
		state.once = vcpu->set_up.msrs[slot];
		state.uniform_known = atomic_load(&uniform->known);
		/* But for bits that are the vCPU's own, such as EFER.LMA. */
		state.uniform = replay_effective(&vcpu->guest, access->index,
						 access->old_value,
						 atomic_load(&uniform->value));
	}
	return state;
}

static void settle_one(struct regpin_vcpu *vcpu, int slot, uint64_t value)
{
	struct uniform *uniform = &vcpu->vm->uniform[slot];

	/*
	 * A kernel that has not touched PAT so far may yet: on resume from S3
	 * Linux restores it last.
	 */
	if (replay_registers[slot] == MSR_PAT && value == PAT_RESET)
		return;
	atomic_store(&uniform->value,
		     replay_effective(&vcpu->guest, replay_registers[slot],
				      value, value));
	atomic_store(&uniform->known, true);
}

/* Remembers what this vCPU has been set up to, for itself and for the others. */
static void remember(struct regpin_vcpu *vcpu)
{
	vcpu_snapshot(vcpu, &vcpu->set_up);
	for (int i = 0; vcpu->settler && i < NR_REPLAY; i++)
		settle_one(vcpu, i, vcpu->set_up.msrs[i]);
}

static void set_up(struct regpin_vcpu *vcpu)
{
	uint32_t open = OPEN;

	if (vcpu->setup_done)
		return;
	vcpu->setup_done = true;
	vcpu->settler = atomic_compare_exchange_strong(&vcpu->vm->settled,
						       &open, SETTLING);
	remember(vcpu);
	if (vcpu->settler)
		atomic_store(&vcpu->vm->settled, SETTLED);
}

static void arm(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = { .type = REGPIN_EVENT_ARMED,
				      .rule = REGPIN_NO_RULE };

	if (vcpu->armed)
		return;
	vcpu->thread = gettid();
	vcpu->armed = true;
	vm_event(vcpu->vm, vcpu, &event);
}

void lifecycle_gone(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;

	if (!vcpu->armed)
		return;
	vcpu->armed = false;
	vcpu->setup_done = false;
	vcpu->settler = false;
	/* The last one to go takes the VM's values along. */
	if (vm_armed(vm))
		return;
	for (int i = 0; i < NR_REPLAY; i++)
		atomic_store(&vm->uniform[i].known, false);
	atomic_store(&vm->settled, OPEN);
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

	/* The one register that may be settled late. */
	if (index == MSR_PAT && atomic_load(&vcpu->vm->settled) == SETTLED &&
	    !atomic_load(&vcpu->vm->uniform[replay_slot(MSR_PAT)].known))
		settle_one(vcpu, replay_slot(MSR_PAT), value);
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
	uint64_t lstar = 0, sfmask = 0;

	/* The thread that runs it now is the one whose end means its end. */
	if (vcpu->armed)
		vcpu->thread = gettid();
	if (vcpu->setup_done)
		return;
	vcpu_get_msr(vcpu, MSR_LSTAR, &lstar);
	if (vcpu->vm->policy->arming == ARM_START || lstar)
		arm(vcpu);
	if (!vcpu->armed || !lstar)
		return;
	vcpu_get_msr(vcpu, MSR_SFMASK, &sfmask);
	if (sfmask)
		set_up(vcpu);
}

void lifecycle_loaded(struct regpin_vcpu *vcpu)
{
	uint64_t lstar = 0;

	vcpu_get_msr(vcpu, MSR_LSTAR, &lstar);
	if (!lstar)
		return;
	vcpu->loading = true;
	lifecycle_look(vcpu);
	/* A state may come in several writes: what it is in the end counts. */
	if (vcpu->setup_done)
		remember(vcpu);
}

bool lifecycle_reset(struct regpin_vcpu *vcpu, const struct snapshot *before,
		     const struct snapshot *after)
{
	int lstar = replay_slot(MSR_LSTAR);

	/*
	 * Paging is off and the entry point is gone, which is more than an INIT
	 * does: VMMs that have the APIC in userspace write that too, at the
	 * guest's will. And a VMM that merely writes back what it read changes
	 * neither.
	 */
	if (after->paging || after->msrs[lstar])
		return false;
	/*
	 * Both may be so before the VMM's write: on SVM KVM clears a vCPU that
	 * met a triple fault. A vCPU that is armed from the start may never
	 * have had an entry point to lose.
	 */
	if (!before->paging && !before->msrs[lstar] && !vcpu->setup_done &&
	    vcpu->vm->policy->arming == ARM_START)
		return false;
	disarm(vcpu);
	return true;
}
