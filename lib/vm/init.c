// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INIT, which takes what control registers and EFER hold, but not the syscall MSRs:
 * what becomes of the vCPU's pins, and how it is known. KVM's CR filter reports it.
 * Elsewhere it is seen by the bits of EFER that it took: by a look, or when a system on
 * its way to long mode writes EFER.
 */
#include "floor.h"
#include "lifecycle.h"
#include "vm.h"

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
	bool armed = lifecycle_pinned(vcpu);

	vcpu->fresh = true;
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
	if (vm->first == vcpu)
		vm->first = NULL;
	vm_unlock(vm);
	lifecycle_efer_is(vcpu, 0);
	vm_event(vm, vcpu, &event);
	if (vm->policy->arming == ARM_START)
		lifecycle_arm(vcpu, REGPIN_BY_START);
	return true;
}

void lifecycle_efer_is(struct regpin_vcpu *vcpu, uint64_t efer)
{
	vcpu->efer = efer & ~EFER_LMA;
	vcpu->efer_swaps = atomic_load(&vcpu->vm->swaps);
	vcpu->efer_shown = filter_wants(vcpu->vm->policy, MSR_EFER,
					ACCESS_WRITE);
}

/* The bits of EFER that no write of the guest's clears without a verdict. */
static uint64_t held_bits(const struct regpin_policy *policy)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->type == RULE_STICKY || rule->type == RULE_FROZEN) &&
		    rule_covers(rule, REGPIN_MSR, MSR_EFER))
			bits |= rule->mask;
	}
	return bits;
}

/*
 * Are bits gone that only an INIT can have taken? Those of rules, if each write since
 * was seen; and of an EFER of which nothing is left, where a kernel has come up with it.
 */
static bool lost_efer(const struct regpin_vcpu *vcpu, uint64_t efer)
{
	uint64_t lost = vcpu->efer & ~efer;

	if (!lost)
		return false;
	if (!efer && vcpu->setup_done)
		return true;
	return vcpu->efer_shown &&
	       vcpu->efer_swaps == atomic_load(&vcpu->vm->swaps) &&
	       lost & held_bits(vcpu->vm->policy);
}

bool lifecycle_found(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS],
		     uint64_t efer)
{
	bool paging_gone = !(now[0] & CR0_PG) && vcpu->seen[0] & CR0_PG;

	/* No guest can turn paging off and clear all of EFER by itself. */
	if (!vcpu->looked_at ||
	    !((paging_gone && !efer) || lost_efer(vcpu, efer)))
		return false;
	return lifecycle_init(vcpu);
}

void lifecycle_efer(struct regpin_vcpu *vcpu, uint64_t old)
{
	/* The CR filter's own exit reports it, which may come after this. */
	if (vcpu->vm->wants_crs || !vcpu->armed || !vcpu->setup_done ||
	    !lost_efer(vcpu, old) || floor_elsewhere(vcpu))
		return;
	lifecycle_init(vcpu);
	vcpu->looked_at = 0;
}
