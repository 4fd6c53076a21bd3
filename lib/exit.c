// SPDX-License-Identifier: LGPL-2.1-or-later
/* An exit of a vCPU under a policy: is it ours, what does the judge say, apply it. */
#include <errno.h>
#include <string.h>

#include "judge.h"
#include "lifecycle.h"
#include "model.h"

void vcpu_access_event(struct regpin_vcpu *vcpu, uint32_t type,
		       const struct access *access,
		       const struct verdict *verdict, uint64_t proposed)
{
	const struct regpin_policy *policy = vcpu->vm->policy;
	struct regpin_event event = {
		.type = type,
		.kind = access->kind,
		.index = access->index,
		.write = access->write,
		.action = verdict->action,
		.old_value = access->old_value,
		.new_value = proposed,
		.value = verdict->value,
		.bits = verdict->bits,
		.rule = verdict->rule ?
			(uint32_t)(verdict->rule - policy->rules) :
			REGPIN_NO_RULE,
	};
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (type == REGPIN_EVENT_VIOLATION &&
	    !kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) &&
	    !kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs)) {
		event.has_rip = 1;
		event.rip = sregs.cs.base + regs.rip;
		event.cpl = sregs.ss.dpl;
	}
	vm_event(vcpu->vm, vcpu, &event);
}

static void failed(struct regpin_vcpu *vcpu, const struct access *access,
		   int err)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_FAILED,
		.index = access->index,
		.write = access->write,
		.action = REGPIN_GP,
		.rule = REGPIN_NO_RULE,
		.detail = (uint32_t)-err,
	};

	vm_event(vcpu->vm, vcpu, &event);
}

/*
 * Does the guest's write what the guest itself could have done? Returns 0,
 * -EINVAL for a #GP as without regpin, or another error of KVM's.
 */
static int replay(struct regpin_vcpu *vcpu, const struct access *access,
		  uint64_t value)
{
	uint64_t old = access->old_value;
	bool paging = replay_needs_paging(access->index, old, value) &&
		      vcpu_paging(vcpu);
	int ret;

	if (!replay_valid(&vcpu->guest, access->index, paging, old, value))
		return -EINVAL;
	ret = vcpu_set_msr(vcpu, access->index, value);
	if (!ret)
		lifecycle_written(vcpu, access->index, value);
	return ret;
}

/* Would the VMM's own filter have shown this access to the VMM? */
static bool vmm_wants(const struct regpin_vm *vm, uint32_t index,
		      unsigned int type)
{
	const struct filter_copy *vmm = atomic_load(&vm->vmm);

	return vmm && !model_filter_allows(&vmm->filter, index, type);
}

/* Answers the exit: the guest gets #GP, or goes on behind the instruction. */
static int answer(struct regpin_vcpu *vcpu, bool gp)
{
	vcpu->run->msr.error = gp;
	return 1;
}

/* An access that only the VMM's filter asked for. */
static int not_ours(struct regpin_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->vm->vmm_mask, memory_order_relaxed) &
	    KVM_MSR_EXIT_REASON_FILTER)
		return 0;
	/* The VMM has a filter but wants no exits: KVM would have injected #GP. */
	return answer(vcpu, true);
}

/* Sets @verdict's value to what the register really holds afterwards. */
static int apply_write(struct regpin_vcpu *vcpu, const struct access *access,
		       struct verdict *verdict, uint64_t proposed)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = verdict->action == REGPIN_MASK ? verdict->value :
							  proposed;
	int ret;

	if (verdict->action >= REGPIN_DROP)
		return answer(vcpu, verdict->action == REGPIN_GP);
	if (vmm_wants(vcpu->vm, access->index, ACCESS_WRITE)) {
		run->msr.data = value;
		return not_ours(vcpu);
	}
	ret = replay(vcpu, access, value);
	if (ret)
		verdict->value = access->old_value;
	if (ret && ret != -EINVAL)
		failed(vcpu, access, ret);
	return answer(vcpu, ret);
}

static int read_exit(struct regpin_vcpu *vcpu, struct access *access)
{
	const struct state state = { 0 };
	struct kvm_run *run = vcpu->run;
	struct verdict verdict;
	int err = 0;

	judge(vcpu->vm->policy, &state, access, &verdict);
	/* The register is only read for those who get to see its value. */
	if (verdict.rule || !verdict.answered) {
		err = vcpu_get_msr(vcpu, access->index, &access->old_value);
		if (verdict.action <= REGPIN_REPORT)
			verdict.value = access->old_value;
	}
	if (verdict.rule)
		vcpu_access_event(vcpu, REGPIN_EVENT_VIOLATION, access,
				  &verdict, access->old_value);
	if (verdict.action == REGPIN_GP)
		return answer(vcpu, true);
	if (verdict.action == REGPIN_DROP || verdict.answered) {
		run->msr.data = verdict.value;
		return answer(vcpu, false);
	}
	if (vmm_wants(vcpu->vm, access->index, ACCESS_READ))
		return not_ours(vcpu);
	if (err && err != -EINVAL)
		failed(vcpu, access, err);
	run->msr.data = verdict.value;
	return answer(vcpu, err);
}

/*
 * What KVM makes of the guest's value. It makes SYSENTER_ESP and SYSENTER_EIP
 * canonical, by the guest's or the host's address width, depending on its
 * version: such a value, which no kernel writes, is tried.
 */
static uint64_t effective(const struct regpin_vcpu *vcpu, uint32_t index,
			  uint64_t old, uint64_t proposed)
{
	uint64_t value = replay_effective(&vcpu->guest, index, old, proposed);
	uint64_t seen = value;

	if (replay_kept(index, value))
		return value;
	if (!vcpu_set_msr(vcpu, index, value))
		vcpu_get_msr(vcpu, index, &seen);
	vcpu_set_msr(vcpu, index, old);
	return seen;
}

static int write_exit(struct regpin_vcpu *vcpu, struct access *access)
{
	uint64_t proposed = vcpu->run->msr.data, old = 0;
	struct verdict verdict;
	struct state state;
	int err, ret;

	err = vcpu_get_msr(vcpu, access->index, &old);
	access->old_value = replay_effective(&vcpu->guest, access->index, old,
					     old);
	access->new_value = effective(vcpu, access->index, old, proposed);
	state = lifecycle_state(vcpu, access);
	judge(vcpu->vm->policy, &state, access, &verdict);
	/* What was there is not known, so neither is what would be lost. */
	if (err && verdict.action < REGPIN_DROP) {
		failed(vcpu, access, err);
		return answer(vcpu, true);
	}
	/* KVM would make other bits of it than the mask left. */
	if (verdict.action == REGPIN_MASK &&
	    !replay_kept(access->index, verdict.value)) {
		verdict.action = REGPIN_GP;
		verdict.value = access->old_value;
	}
	ret = apply_write(vcpu, access, &verdict, proposed);
	if (verdict.rule)
		vcpu_access_event(vcpu, REGPIN_EVENT_VIOLATION, access,
				  &verdict, proposed);
	return ret;
}

/* Not inlined, so that exits that are not ours don't pay for its registers. */
static __attribute__((noinline)) int msr_exit(struct regpin_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct access access = {
		.kind = REGPIN_MSR,
		.index = run->msr.index,
		.write = run->exit_reason == KVM_EXIT_X86_WRMSR,
	};

	/* UNKNOWN and INVAL come only where the VMM asked for them. */
	if (run->msr.reason != KVM_MSR_EXIT_REASON_FILTER)
		return 0;
	if (!filter_wants(vcpu->vm->policy, access.index,
			  access.write ? ACCESS_WRITE : ACCESS_READ))
		return not_ours(vcpu);
	return access.write ? write_exit(vcpu, &access) :
			      read_exit(vcpu, &access);
}

int regpin_vcpu_exit(struct regpin_vcpu *vcpu)
{
	/* Without MSR rules the filter and its exits are the VMM's alone. */
	if (!vcpu->vm->wants_msrs)
		return 0;
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return msr_exit(vcpu);
	default:
		return 0;
	}
}
