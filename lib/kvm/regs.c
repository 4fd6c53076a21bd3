// SPDX-License-Identifier: LGPL-2.1-or-later
/* A vCPU's registers, through KVM's ioctls on its fd. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "ioctl.h"
#include "lib/policy/registers.h"
#include "regs.h"
#include "uapi.h"

const uint32_t replay_registers[NR_REPLAY] = {
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_PAT, MSR_EFER,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
};

int replay_slot(uint32_t index)
{
	/*
	 * Each exit calls this, so no loop: it compiles to a few comparisons. The first
	 * of them finds the MSRs that guests write most.
	 */
	if (index - MSR_EFER <= MSR_SFMASK - MSR_EFER)
		return (int)(index - MSR_EFER) + 4;
	switch (index) {
	case MSR_SYSENTER_CS ... MSR_SYSENTER_EIP:
		return (int)(index - MSR_SYSENTER_CS);
	case MSR_PAT:
		return 3;
	default:
		return -1;
	}
}

struct msr_list {
	struct kvm_msrs header;
	struct kvm_msr_entry entries[1];
};

int vcpu_get_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t *value)
{
	struct msr_list list = { .header.nmsrs = 1,
				 .entries[0].index = index };
	int ret = kvm_ioctl(io->fd, KVM_GET_MSRS, &list);

	if (ret < 0)
		return -errno;
	if (ret == 0)
		return -EINVAL;
	*value = list.entries[0].data;
	return 0;
}

int vcpu_set_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t value)
{
	struct msr_list list = { .header.nmsrs = 1,
				 .entries[0] = { .index = index,
						 .data = value } };
	int ret = kvm_ioctl(io->fd, KVM_SET_MSRS, &list);

	if (ret < 0)
		return -errno;
	return ret ? 0 : -EINVAL;
}

bool vcpu_paging(const struct vcpu_io *io)
{
	struct kvm_sregs sregs;

	/*
	 * If KVM refuses, the safe answer is yes: then there is no reset, and the guest
	 * may not change LME.
	 */
	return kvm_ioctl(io->fd, KVM_GET_SREGS, &sregs) || sregs.cr0 & CR0_PG;
}

uint64_t vcpu_run_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + 1;
}

bool vcpu_get_crs(const struct vcpu_io *io, bool xcr0,
		  uint64_t crs[NR_CRS], uint64_t *efer)
{
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs;

	memset(crs, 0, NR_CRS * sizeof(*crs));
	if (efer)
		*efer = 0;
	if (kvm_ioctl(io->fd, KVM_GET_SREGS, &sregs))
		return false;
	if (efer)
		*efer = sregs.efer;
	crs[REGPIN_CR0 - REGPIN_CR0] = sregs.cr0;
	crs[REGPIN_CR4 - REGPIN_CR0] = sregs.cr4;
	if (!xcr0 || kvm_ioctl(io->fd, KVM_GET_XCRS, &xcrs))
		return true;
	for (uint32_t i = 0; i < xcrs.nr_xcrs && i < KVM_MAX_XCRS; i++)
		if (xcrs.xcrs[i].xcr == 0)
			crs[REGPIN_XCR0 - REGPIN_CR0] = xcrs.xcrs[i].value;
	return true;
}

bool vcpu_get_protections(const struct vcpu_io *io,
			  struct protections *ret)
{
	struct kvm_sregs sregs;

	*ret = (struct protections){ 0 };
	if (kvm_ioctl(io->fd, KVM_GET_SREGS, &sregs))
		return false;
	ret->cr0 = sregs.cr0;
	ret->cr4 = sregs.cr4;
	ret->efer = sregs.efer;
	return true;
}

void vcpu_snapshot(const struct vcpu_io *io, struct snapshot *snapshot)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entries[NR_REPLAY];
	} list;
	struct kvm_sregs sregs;

	memset(snapshot, 0, sizeof(*snapshot));
	memset(&list, 0, sizeof(list));
	list.header.nmsrs = NR_REPLAY;
	for (int i = 0; i < NR_REPLAY; i++)
		list.entries[i].index = replay_registers[i];
	/* All of them in one ioctl; one by one on a KVM that lacks one. */
	if (kvm_ioctl(io->fd, KVM_GET_MSRS, &list) == NR_REPLAY) {
		for (int i = 0; i < NR_REPLAY; i++)
			snapshot->msrs[i] = list.entries[i].data;
	} else {
		for (int i = 0; i < NR_REPLAY; i++)
			if (vcpu_get_msr(io, replay_registers[i],
					 &snapshot->msrs[i]))
				snapshot->unread |= snapshot_bit(REGPIN_MSR, i);
	}
	/* If KVM refuses, paging is the safe answer: then this is not a reset. */
	if (!vcpu_get_crs(io, true, snapshot->crs, NULL)) {
		snapshot->crs[0] = CR0_PG;
		for (unsigned int i = 0; i < NR_CRS; i++)
			snapshot->unread |= snapshot_bit(REGPIN_CR0 + i, 0);
	} else if (!kvm_ioctl(io->fd, KVM_GET_SREGS, &sregs)) {
		snapshot->cs = sregs.cs.base;
	}
	snapshot->valid = true;
}

bool snapshot_same(const struct snapshot *a, const struct snapshot *b)
{
	return a->cs == b->cs && !memcmp(a->crs, b->crs, sizeof(a->crs)) &&
	       !memcmp(a->msrs, b->msrs, sizeof(a->msrs));
}

/* Room for the header and for VMX's vmcs12 and its shadow. SVM needs one page. */
union nested_state {
	struct kvm_nested_state state;
	uint8_t room[sizeof(struct kvm_nested_state) + 2 * 4096ul];
};

bool vcpu_runs_l2(const struct vcpu_io *io, const struct guest *guest)
{
	union nested_state nested;

	if (io->run->flags & KVM_RUN_X86_GUEST_MODE)
		return true;
	/* Kernels before Linux 6.10 don't have this flag. */
	if (!guest->svm && !guest->vmx)
		return false;
	memset(&nested.state, 0, sizeof(nested.state));
	nested.state.size = sizeof(nested);
	return !kvm_ioctl(io->fd, KVM_GET_NESTED_STATE, &nested) &&
	       nested.state.flags & KVM_STATE_NESTED_GUEST_MODE;
}

bool vcpu_shows_kernel(const struct vcpu_io *io, const struct guest *guest)
{
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp;

	if (vcpu_runs_l2(io, guest))
		return false;
	if (!kvm_ioctl(io->fd, KVM_GET_VCPU_EVENTS, &events) &&
	    events.flags & KVM_VCPUEVENT_VALID_SMM && events.smi.smm)
		return false;
	return kvm_ioctl(io->fd, KVM_GET_MP_STATE, &mp) ||
	       mp.mp_state == KVM_MP_STATE_RUNNABLE ||
	       mp.mp_state == KVM_MP_STATE_HALTED;
}

bool vcpu_set_crs(const struct vcpu_io *io, const uint64_t crs[NR_CRS],
		  bool xcr0)
{
	struct kvm_sregs sregs;
	struct kvm_xcrs xcrs = { .nr_xcrs = 1 };

	if (kvm_ioctl(io->fd, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cr0 = crs[REGPIN_CR0 - REGPIN_CR0];
	sregs.cr4 = crs[REGPIN_CR4 - REGPIN_CR0];
	if (kvm_ioctl(io->fd, KVM_SET_SREGS, &sregs))
		return false;
	xcrs.xcrs[0].value = crs[REGPIN_XCR0 - REGPIN_CR0];
	return !xcr0 || !kvm_ioctl(io->fd, KVM_SET_XCRS, &xcrs);
}
