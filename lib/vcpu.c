// SPDX-License-Identifier: LGPL-2.1-or-later
/* A vCPU under a policy: takes an exit, asks the judge, applies the verdict. */
#include <errno.h>
#include <string.h>

#include "judge.h"
#include "lifecycle.h"
#include "model.h"

struct msr_list {
	struct kvm_msrs header;
	struct kvm_msr_entry entries[1];
};

int vcpu_get_msr(const struct regpin_vcpu *vcpu, uint32_t index,
		 uint64_t *value)
{
	struct msr_list list = { .header.nmsrs = 1,
				 .entries[0].index = index };
	int ret = kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &list);

	if (ret < 0)
		return -errno;
	if (ret == 0)
		return -EINVAL;
	*value = list.entries[0].data;
	return 0;
}

int vcpu_set_msr(const struct regpin_vcpu *vcpu, uint32_t index,
		 uint64_t value)
{
	struct msr_list list = { .header.nmsrs = 1,
				 .entries[0] = { .index = index,
						 .data = value } };
	int ret = kvm_ioctl(vcpu->fd, KVM_SET_MSRS, &list);

	if (ret < 0)
		return -errno;
	return ret ? 0 : -EINVAL;
}

bool vcpu_paging(const struct regpin_vcpu *vcpu)
{
	struct kvm_sregs sregs;

	/* Where KVM does not say, the safe answer: no reset, no write of LME. */
	return kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) || sregs.cr0 & CR0_PG;
}

void vcpu_snapshot(const struct regpin_vcpu *vcpu, struct snapshot *snapshot)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entries[NR_REPLAY];
	} list;

	memset(snapshot, 0, sizeof(*snapshot));
	memset(&list, 0, sizeof(list));
	list.header.nmsrs = NR_REPLAY;
	for (int i = 0; i < NR_REPLAY; i++)
		list.entries[i].index = replay_registers[i];
	/* All of them at once; one by one on a KVM that lacks one. */
	if (kvm_ioctl(vcpu->fd, KVM_GET_MSRS, &list) == NR_REPLAY) {
		for (int i = 0; i < NR_REPLAY; i++)
			snapshot->msrs[i] = list.entries[i].data;
	} else {
		for (int i = 0; i < NR_REPLAY; i++)
			vcpu_get_msr(vcpu, replay_registers[i],
				     &snapshot->msrs[i]);
	}
	snapshot->paging = vcpu_paging(vcpu);
	snapshot->valid = true;
}

int regpin_vcpu_attach(struct regpin_vm *vm, int vcpu_fd, __u32 id,
		       struct kvm_run *run, struct regpin_vcpu **ret)
{
	struct regpin_vcpu *vcpu = pages_alloc(sizeof(*vcpu));

	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->fd = vcpu_fd;
	vcpu->id = id;
	vcpu->run = run;
	vcpu->dirty = true;
	guest_from_cpuid(&vcpu->guest, NULL);
	vm_add_vcpu(vm, vcpu);
	*ret = vcpu;
	return 0;
}

void regpin_vcpu_detach(struct regpin_vcpu *vcpu)
{
	if (!vcpu)
		return;
	lifecycle_gone(vcpu);
	vm_del_vcpu(vcpu);
	pages_free(vcpu, sizeof(*vcpu));
}

/*
 * Which half of SYSENTER_EIP does KVM keep? That depends on its vendor module
 * and on the guest's CPUID; asking is surer than knowing.
 */
static void measure_sysenter(struct regpin_vcpu *vcpu)
{
	const uint64_t probe = 0xffffffff80000000ull;
	uint64_t old = 0, seen = 0;

	if (vcpu_get_msr(vcpu, MSR_SYSENTER_EIP, &old) ||
	    vcpu_set_msr(vcpu, MSR_SYSENTER_EIP, probe))
		return;
	if (!vcpu_get_msr(vcpu, MSR_SYSENTER_EIP, &seen))
		vcpu->guest.sysenter = seen == probe ? ~0ull : 0xffffffffull;
	vcpu_set_msr(vcpu, MSR_SYSENTER_EIP, old);
}

int regpin_vcpu_set_cpuid(struct regpin_vcpu *vcpu,
			  const struct kvm_cpuid2 *cpuid)
{
	uint32_t accepts = vcpu->vm->policy->flags;

	guest_from_cpuid(&vcpu->guest, cpuid);
	if (vcpu->vm->wants_msrs)
		measure_sysenter(vcpu);
	if (vcpu->guest.svm && !(accepts & POLICY_ACCEPT_NESTED))
		return vm_refuse(vcpu->vm, vcpu, REGPIN_REFUSED_SVM);
	if (vcpu->guest.vmx && !(accepts & POLICY_ACCEPT_NESTED))
		return vm_refuse(vcpu->vm, vcpu, REGPIN_REFUSED_VMX);
	if (vcpu->guest.fred)
		return vm_refuse(vcpu->vm, vcpu, REGPIN_REFUSED_FRED);
	return 0;
}

static void access_event(struct regpin_vcpu *vcpu, uint32_t type,
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
		access_event(vcpu, REGPIN_EVENT_VIOLATION, access, &verdict,
			     access->old_value);
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
		access_event(vcpu, REGPIN_EVENT_VIOLATION, access, &verdict,
			     proposed);
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

static __attribute__((noinline)) void look(struct regpin_vcpu *vcpu)
{
	vcpu->dirty = false;
	vcpu->loading = false;
	vcpu->resetting = false;
	if (vcpu->vm->wants_msrs)
		lifecycle_look(vcpu);
}

void regpin_vcpu_enter(struct regpin_vcpu *vcpu)
{
	if (__builtin_expect(vcpu->dirty, 0))
		look(vcpu);
}

void regpin_vcpu_before_write(struct regpin_vcpu *vcpu)
{
	vcpu->before.valid = false;
	if (vcpu->armed)
		vcpu_snapshot(vcpu, &vcpu->before);
}

/* Tells of each pin that the VMM's write lowered. */
static void compare(struct regpin_vcpu *vcpu, const struct snapshot *after)
{
	for (int i = 0; i < NR_REPLAY; i++) {
		struct access access = {
			.kind = REGPIN_MSR,
			.write = true,
			.index = replay_registers[i],
			.old_value = vcpu->before.msrs[i],
			.new_value = after->msrs[i],
		};
		struct state state = lifecycle_state(vcpu, &access);
		struct verdict verdict;

		if (access.old_value == access.new_value)
			continue;
		judge(vcpu->vm->policy, &state, &access, &verdict);
		if (!verdict.rule || verdict.rule->type == RULE_DENY)
			continue;
		/* The VMM is never refused; what it wrote stands. */
		verdict.action = REGPIN_ALLOW;
		verdict.value = after->msrs[i];
		access_event(vcpu, REGPIN_EVENT_VMM_WRITE, &access, &verdict,
			     after->msrs[i]);
	}
}

void regpin_vcpu_after_write(struct regpin_vcpu *vcpu)
{
	struct snapshot after;

	vcpu->dirty = true;
	if (!vcpu->vm->wants_msrs)
		return;
	if (!vcpu->before.valid) {
		lifecycle_loaded(vcpu);
		return;
	}
	vcpu_snapshot(vcpu, &after);
	if (lifecycle_reset(vcpu, &vcpu->before, &after)) {
		vcpu->loading = false;
		return;
	}
	/* The first half of a reset, or an INIT: no pin is lowered by mistake. */
	if (vcpu->before.paging && !after.paging)
		vcpu->resetting = true;
	if (vcpu->loading)
		lifecycle_loaded(vcpu);
	else if (!vcpu->resetting)
		compare(vcpu, &after);
}
