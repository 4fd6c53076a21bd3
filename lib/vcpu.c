// SPDX-License-Identifier: LGPL-2.1-or-later
/* A vCPU under a policy: what the VMM sets up and writes. Its exits: exit.c. */
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
		vcpu_access_event(vcpu, REGPIN_EVENT_VMM_WRITE, &access,
				  &verdict, after->msrs[i]);
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
