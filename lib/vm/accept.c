// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Features for which a VM is refused: they load registers past every filter, or let a
 * kernel take over undetected. A policy may accept a feature by name. A policy that only
 * reports has no protection to evade, so there the feature is tolerated: it is reported,
 * once for a VM.
 */
#include "accept.h"
#include "core.h"
#include "lib/kvm/host.h"
#include "lib/policy/policy.h"

/* The flag by which a policy accepts the feature; no policy can accept FRED. */
static uint32_t accept_flag_for(enum regpin_refusal reason)
{
	switch (reason) {
	case REGPIN_REFUSED_SVM:
	case REGPIN_REFUSED_VMX:
		return POLICY_ACCEPT_NESTED;
	case REGPIN_REFUSED_SMM:
		return POLICY_ACCEPT_SMM;
	default:
		return 0;
	}
}

static bool accepts(const struct regpin_policy *policy,
		    enum regpin_refusal reason)
{
	return policy->flags & accept_flag_for(reason) ||
	       policy_only_reports(policy);
}

/* Does a rule only report a register that the guest's VMLOAD writes past the filter? */
static bool misses_vmload(const struct regpin_vm *vm)
{
	const struct regpin_policy *policy = vm->policies.whole;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].action == REGPIN_REPORT &&
		    host_vmload_passes(&vm->host, &policy->rules[i]))
			return true;
	return false;
}

/* The features that the VM and its guest have, one bit each. Caller holds the VM lock. */
static uint32_t reasons_of_locked(const struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	uint32_t reasons = 0;

	if (atomic_load(&vm->limits.smm))
		reasons |= 1u << REGPIN_REFUSED_SMM;
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next) {
		if (vcpu->guest.svm)
			reasons |= 1u << REGPIN_REFUSED_SVM;
		if (vcpu->guest.vmx)
			reasons |= 1u << REGPIN_REFUSED_VMX;
		if (vcpu->guest.fred)
			reasons |= 1u << REGPIN_REFUSED_FRED;
	}
	return reasons;
}

bool vm_accepts_locked(const struct regpin_vm *vm,
		       const struct regpin_policy *policy)
{
	uint32_t reasons = reasons_of_locked(vm);

	for (unsigned int i = 0; i < REGPIN_REFUSED_MAX; i++)
		if (reasons >> i & 1 && !accepts(policy, i))
			return false;
	return true;
}

static void tolerate(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		     enum regpin_refusal reason)
{
	struct regpin_event event = { .type = REGPIN_EVENT_TOLERATED,
				      .rule = REGPIN_NO_RULE,
				      .detail = reason };

	if (!(atomic_fetch_or(&vm->limits.tolerated, 1u << reason) & 1u << reason))
		vm_send_event(vm, vcpu, &event);
}

int vm_allow_or_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		       uint32_t accepted, enum regpin_refusal reason)
{
	if (accepted & accept_flag_for(reason))
		return 0;
	if (!(accepted & POLICY_ONLY_REPORTS))
		return vm_refuse(vm, vcpu, reason);
	tolerate(vm, vcpu, reason);
	return 0;
}

uint32_t vm_accepted_locked(const struct regpin_vm *vm)
{
	return vm->policies.whole->flags | (policy_only_reports(vm->policies.whole) ?
				   POLICY_ONLY_REPORTS : 0);
}

void vm_report_tolerated(struct regpin_vm *vm)
{
	uint32_t reasons = 0;

	vm_lock(vm);
	for (unsigned int i = 0; i < REGPIN_REFUSED_MAX; i++)
		if (reasons_of_locked(vm) >> i & 1 &&
		    !(vm->policies.whole->flags & accept_flag_for(i)))
			reasons |= 1u << i;
	if (misses_vmload(vm))
		reasons |= 1u << REGPIN_REFUSED_VMLOAD;
	vm_unlock(vm);
	for (unsigned int i = 0; i < REGPIN_REFUSED_MAX; i++)
		if (reasons >> i & 1)
			tolerate(vm, NULL, i);
}
