// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INIT, which takes what control registers and EFER hold, but not the syscall MSRs:
 * what becomes of the vCPU's pins, and how it is known. KVM's CR filter reports it.
 * Elsewhere it is seen by the bits of EFER that it took: by a look, or when a system on
 * its way to long mode writes EFER.
 */
#include "core.h"
#include "efer.h"
#include "floor.h"
#include "init.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "phase.h"
#include "types.h"

/*
 * The syscall MSRs outlive an INIT, but how far the vCPU was with them says nothing of
 * what comes up there next.
 */
static void forget_set_up(struct regpin_vcpu *vcpu)
{
	vcpu->reborn |= vcpu->entered || vcpu->masked;
	vcpu->entered = false;
	vcpu->masked = false;
}

bool lifecycle_init(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = { .type = REGPIN_EVENT_DISARMED,
				      .rule = REGPIN_NO_RULE,
				      .detail = REGPIN_BY_INIT };
	struct regpin_vm *vm = vcpu->vm;
	struct phase_moment moment = lifecycle_moment(vm);
	bool armed = lifecycle_pinned(vcpu);

	vcpu->fresh = true;
	if (!armed && phase_pinned(vcpu->phase))
		lifecycle_step(vcpu, PINS_VOID, NULL);
	lifecycle_step(vcpu, INIT_SEEN, &moment);
	vcpu_alert(vcpu);
	if (!armed) {
		forget_set_up(vcpu);
		return false;
	}
	vm_lock(vm);
	vcpu->kept = true;
	vcpu->armed = false;
	vcpu->entered = false;
	vcpu->masked = false;
	vcpu->reborn = true;
	vcpu->setup_done = false;
	vcpu->in_setup = false;
	vcpu->settler = false;
	/* What it had is what the others are measured by from now on. */
	if (vm->values.first == vcpu)
		vm->values.first = NULL;
	vm_unlock(vm);
	efer_seen(vcpu, 0);
	vm_event(vm, vcpu, &event);
	if (vm->policies.now->arming == ARM_START)
		lifecycle_arm(vcpu, REGPIN_BY_START);
	return true;
}

bool lifecycle_found(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS],
		     uint64_t efer)
{
	bool paging_gone = !(now[0] & CR0_PG) && vcpu->detect.seen[0] & CR0_PG;

	/* No guest can turn paging off and clear all of EFER by itself. */
	if (!vcpu->detect.looked_at ||
	    !((paging_gone && !efer) || efer_lost(vcpu, efer)))
		return false;
	return lifecycle_init(vcpu);
}

void lifecycle_efer(struct regpin_vcpu *vcpu, uint64_t old)
{
	/* The CR filter's own exit reports it, which may come after this. */
	if (vcpu->vm->filters.wants_crs || !vcpu->armed || !vcpu->setup_done ||
	    !efer_lost(vcpu, old) || floor_elsewhere(vcpu))
		return;
	lifecycle_init(vcpu);
	vcpu->detect.looked_at = 0;
}
