// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accesses to MSRs that KVM does not know, or that it refuses: what the policy's
 * `unknown` and `invalid` say, and else what KVM would have done. An exit of such a
 * reason is the VMM's only if the VMM has asked for it.
 */
#include "judge.h"
#include "vm.h"

int vcpu_answer(struct regpin_vcpu *vcpu, bool gp)
{
	vcpu->run->msr.error = gp;
	vcpu->answered = true;
	return 1;
}

static void tell(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access, struct verdict *verdict)
{
	uint64_t proposed = access->write ? vcpu->run->msr.data : 0;
	struct regpin_event event;

	/* What KVM does not know can't be read, and holds nothing. */
	if (access->write && verdict->rule->type == RULE_INVALID)
		vcpu_get_msr(vcpu, access->index, &access->old_value);
	if (access->write)
		verdict->value = access->old_value;
	vcpu_access(vcpu, policy, REGPIN_EVENT_VIOLATION, access, verdict,
		    proposed, &event);
	vm_event(vcpu->vm, vcpu, &event);
}

int refused_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 enum rule_type type, struct access *access)
{
	const uint32_t reason = type == RULE_UNKNOWN ?
		KVM_MSR_EXIT_REASON_UNKNOWN : KVM_MSR_EXIT_REASON_INVAL;
	struct kvm_run *run = vcpu->run;
	struct verdict verdict;

	judge_refused(policy, type, access, &verdict);
	if (verdict.rule)
		tell(vcpu, policy, access, &verdict);
	if (verdict.answered || verdict.action == REGPIN_DROP) {
		if (!access->write)
			run->msr.data = verdict.value;
		return vcpu_answer(vcpu, false);
	}
	if (atomic_load(&vcpu->vm->vmm_mask) & reason) {
		run->msr.reason = reason;
		return 0;
	}
	return vcpu_answer(vcpu, true);
}

int nowhere_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access)
{
	if (!vcpu->vm->host.ignore_msrs)
		return refused_exit(vcpu, policy, RULE_UNKNOWN, access);
	/* Then KVM swallows them, and asks nobody. */
	if (!access->write)
		vcpu->run->msr.data = 0;
	return vcpu_answer(vcpu, false);
}

int invalid_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access)
{
	if (!replay_known(&vcpu->guest, access->index))
		return nowhere_exit(vcpu, policy, access);
	return refused_exit(vcpu, policy, RULE_INVALID, access);
}
