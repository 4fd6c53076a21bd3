// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * INIT, which takes what control registers and EFER hold, but not the syscall MSRs:
 * what becomes of the vCPU's pins, and how it is known. KVM's CR filter tells of it.
 * Elsewhere it is seen by what it left behind, sooner or later: by a look, or when a
 * system on its way to long mode writes EFER.
 */
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
	vcpu->settler = false;
	/* What it had is what the others are measured by from now on. */
	if (vm->first == vcpu)
		vm->first = NULL;
	vm_unlock(vm);
	vm_event(vm, vcpu, &event);
	if (vm->policy->arming == ARM_START)
		lifecycle_arm(vcpu, REGPIN_BY_START);
	return true;
}

/*
 * An INIT, which nobody tells of on this KVM: no guest can turn paging off and clear
 * all of EFER by itself, as EFER's writes are judged or need paging off first.
 */
bool lifecycle_found(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS])
{
	struct protections has;

	if (now[0] & CR0_PG || !(vcpu->seen[0] & CR0_PG) || !vcpu->looked_at ||
	    !vcpu_get_protections(vcpu, &has) || has.efer)
		return false;
	return lifecycle_init(vcpu);
}

/* Had @efer been cleared by a write, there would have been a verdict on it? */
static bool keeps_efer(const struct regpin_policy *policy, uint64_t efer)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->type == RULE_STICKY || rule->type == RULE_FROZEN) &&
		    rule_covers(rule, REGPIN_MSR, MSR_EFER) &&
		    rule->action > REGPIN_REPORT && rule->mask & efer)
			return true;
	}
	return false;
}

void lifecycle_efer(struct regpin_vcpu *vcpu, uint64_t old)
{
	/* With the CR filter KVM tells, which may be after this. */
	if (old || vcpu->vm->wants_crs || !vcpu->armed || !vcpu->setup_done ||
	    !keeps_efer(vcpu->vm->policy,
			vcpu->set_up.msrs[replay_slot(MSR_EFER)]))
		return;
	lifecycle_init(vcpu);
	vcpu->looked_at = 0;
}
