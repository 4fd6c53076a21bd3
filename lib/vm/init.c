// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INIT clears the control registers and EFER, but not the syscall MSRs. KVM's CR filter
 * reports an INIT. Without that filter regpin detects an INIT by the bits of EFER that the
 * INIT cleared: at a poll, or when a kernel that enters long mode writes EFER.
 */
#include "core.h"
#include "efer.h"
#include "floor.h"
#include "init.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "phase.h"
#include "types.h"

bool init_take_pins(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = { .type = REGPIN_EVENT_DISARMED,
				      .rule = REGPIN_NO_RULE,
				      .detail = REGPIN_BY_INIT };
	struct regpin_vm *vm = vcpu->vm;
	struct phase_moment moment;
	struct phase_step step;

	lifecycle_catch_up(vcpu);
	moment = lifecycle_get_moment(vm);
	vcpu_alert(vcpu);
	vm_lock(vm);
	step = lifecycle_step(vcpu, INIT_SEEN, &moment);
	if (step.act & ACT_KEEP) {
		vcpu->life.in_setup = false;
		vcpu->life.settled_uniform = false;
		/* The other vCPUs are compared with the protections that this vCPU had. */
		if (vm->values.first == vcpu)
			vm->values.first = NULL;
	}
	vm_unlock(vm);
	if (!(step.act & ACT_KEEP))
		return false;
	efer_note(vcpu, 0);
	vm_send_event(vm, vcpu, &event);
	if (step.act & ACT_PIN)
		lifecycle_arm(vcpu, REGPIN_BY_START);
	return true;
}

bool init_find_in_poll(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS],
		       uint64_t efer)
{
	bool paging_gone = !(now[0] & CR0_PG) && vcpu->detect.seen[0] & CR0_PG;

	/* The guest cannot both turn paging off and clear all of EFER without an INIT. */
	if (!vcpu->detect.polled_at ||
	    !((paging_gone && !efer) || efer_lost(vcpu, efer)))
		return false;
	return init_take_pins(vcpu);
}

void init_find_in_efer(struct regpin_vcpu *vcpu, uint64_t old)
{
	/* The CR filter reports an INIT with an exit, which may come after this one. */
	if (vcpu->vm->filters.crs_wanted || vcpu->life.phase != PHASE_READY ||
	    !efer_lost(vcpu, old) || floor_in_smm_or_l2(vcpu))
		return;
	init_take_pins(vcpu);
	vcpu->detect.polled_at = 0;
}
