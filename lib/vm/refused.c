// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accesses to MSRs that KVM does not know, or that it refuses: handled as the policy's
 * `unknown` and `invalid` require, otherwise as by KVM itself. An exit for such a reason
 * is the VMM's only if the VMM has asked for it.
 */
#include "core.h"
#include "lib/judge/judge.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "refused.h"
#include "violation.h"

int refused_answer_msr(struct regpin_vcpu *vcpu, bool gp)
{
	vcpu->io.run->msr.error = gp;
	vcpu->io.answered = true;
	return 1;
}

/* Has the VMM asked for exits of this @reason, so that it decides? */
static bool vmm_asked_for(const struct regpin_vcpu *vcpu, uint32_t reason)
{
	return atomic_load(&vcpu->vm->filters.vmm_mask) & reason;
}

/*
 * Reads the old value of the register into @access. Returns REGPIN_UNREAD_*: which of the
 * old and the new value are not known. An MSR that KVM does not know cannot be read; and a
 * read that ends in #GP, or that goes to the VMM, has not returned a value yet.
 */
static unsigned int read_values(struct regpin_vcpu *vcpu,
				const struct verdict *verdict, uint32_t reason,
				struct access *access)
{
	bool decided = verdict->action == REGPIN_DROP;

	if (!access->write)
		return decided ? 0 : REGPIN_UNREAD_VALUE;
	if (verdict->rule->type == RULE_UNKNOWN ||
	    vcpu_get_msr(&vcpu->io, access->index, &access->old_value))
		return REGPIN_UNREAD_OLD | REGPIN_UNREAD_VALUE;
	return !decided && vmm_asked_for(vcpu, reason) ? REGPIN_UNREAD_VALUE :
							 0;
}

static void report(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		   const struct verdict *verdict, uint32_t reason,
		   struct access *access)
{
	uint64_t proposed = access->write ? vcpu->io.run->msr.data : 0;
	unsigned int unread = read_values(vcpu, verdict, reason, access);
	const struct judged judged = {
		.policy = policy, .access = *access, .verdict = *verdict,
	};
	struct regpin_event event;

	violation_make(vcpu, &judged, REGPIN_EVENT_VIOLATION, proposed, unread,
		       &event);
	/* Nothing was written. */
	if (access->write && !(unread & REGPIN_UNREAD_VALUE))
		event.value = access->old_value;
	vm_send_event(vcpu->vm, vcpu, &event);
}

int refused_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 enum rule_type type, struct access *access)
{
	const uint32_t reason = type == RULE_UNKNOWN ?
		KVM_MSR_EXIT_REASON_UNKNOWN : KVM_MSR_EXIT_REASON_INVAL;
	struct kvm_run *run = vcpu->io.run;
	struct verdict verdict;

	judge_refused(policy, type, access, &verdict);
	if (verdict.rule)
		report(vcpu, policy, &verdict, reason, access);
	if (verdict.answered || verdict.action == REGPIN_DROP) {
		if (!access->write)
			run->msr.data = verdict.value;
		return refused_answer_msr(vcpu, false);
	}
	if (vmm_asked_for(vcpu, reason)) {
		run->msr.reason = reason;
		return 0;
	}
	return refused_answer_msr(vcpu, true);
}

int nowhere_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access)
{
	if (!vcpu->vm->host.ignore_msrs)
		return refused_exit(vcpu, policy, RULE_UNKNOWN, access);
	/* With kvm.ignore_msrs, KVM ignores writes and reads 0, without an exit. */
	if (!access->write)
		vcpu->io.run->msr.data = 0;
	return refused_answer_msr(vcpu, false);
}

int invalid_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 struct access *access)
{
	if (!replay_known(&vcpu->guest, access->index))
		return nowhere_exit(vcpu, policy, access);
	return refused_exit(vcpu, policy, RULE_INVALID, access);
}
