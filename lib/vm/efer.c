// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The last EFER that was read or that the policy allowed. If a bit has been cleared since
 * then, although no write by the guest could clear it without a verdict, there was an
 * INIT.
 */
#include "efer.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/pins.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

void efer_note(struct regpin_vcpu *vcpu, uint64_t efer)
{
	vcpu->detect.efer = efer & ~EFER_LMA;
	vcpu->detect.efer_swaps = atomic_load(&vcpu->vm->policies.swaps);
	vcpu->detect.efer_filtered = filter_wants(vcpu->vm->policies.now,
						  MSR_EFER, ACCESS_WRITE);
}

/* The bits of EFER that the guest cannot clear without a verdict. */
static uint64_t pinned_bits(const struct regpin_policy *policy)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule_covers(rule, REGPIN_MSR, MSR_EFER))
			bits |= rule_pins(rule).falls;
	}
	return bits;
}

bool efer_lost(const struct regpin_vcpu *vcpu, uint64_t efer)
{
	uint64_t lost = vcpu->detect.efer & ~efer;

	if (!lost)
		return false;
	if (!efer && vcpu->life.phase == PHASE_READY)
		return true;
	return vcpu->detect.efer_filtered &&
	       vcpu->detect.efer_swaps == atomic_load(&vcpu->vm->policies.swaps) &&
	       lost & pinned_bits(vcpu->vm->policies.now);
}
