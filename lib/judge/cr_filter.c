// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rules on control registers as KVM's CR filter. */
#include <string.h>

#include "cr_filter.h"
#include "lib/policy/pins.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

_Static_assert(KVM_X86_CR_FILTER_CR0 == REGPIN_CR0 - REGPIN_CR0 &&
	       KVM_X86_CR_FILTER_CR4 == REGPIN_CR4 - REGPIN_CR0 &&
	       KVM_X86_CR_FILTER_XCR0 == REGPIN_XCR0 - REGPIN_CR0,
	       "one numbering");

bool cr_filter_needed(const struct regpin_policy *policy)
{
	if (policy->settings.init_action != REGPIN_ALLOW)
		return true;
	/* INIT also ends pins on MSRs, and every policy with pins has a floor. */
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (rule_is_pin(&policy->rules[i]) &&
		    !(policy->rules[i].flags & RULE_DETECT))
			return true;
	return false;
}

bool cr_filter_detects(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].kind != REGPIN_MSR &&
		    rule_pins(&policy->rules[i]).have & PINS_BITS)
			return true;
	return false;
}

void cr_filter_build(const struct regpin_policy *policy,
		     const uint64_t filterable[NR_CRS],
		     struct kvm_x86_cr_filter *out)
{
	memset(out, 0, sizeof(*out));
	/* INIT ends every pin, so any pin requires its exit. */
	out->flags = KVM_X86_CR_FILTER_EXIT | KVM_X86_CR_FILTER_EXIT_INIT;
	/* A vCPU that is brought online must meet the floor when it turns paging on. */
	out->regs[KVM_X86_CR_FILTER_CR0].set_mask = CR0_PG;
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		struct kvm_x86_cr_filter_reg *reg;
		struct pins pins;

		if (rule->kind == REGPIN_MSR || rule->flags & RULE_DETECT)
			continue;
		reg = &out->regs[rule->kind - REGPIN_CR0];
		pins = rule_pins(rule);
		reg->clear_mask |= pins.falls;
		reg->set_mask |= pins.rises;
	}
	for (int i = 0; i < NR_CRS; i++) {
		out->regs[i].clear_mask &= filterable[i];
		out->regs[i].set_mask &= filterable[i];
	}
}
