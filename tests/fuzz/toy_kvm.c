// SPDX-License-Identifier: GPL-2.0-only
/* The toy KVM's rules are those of __kvm_set_msr() and set_efer(). */
#include <errno.h>
#include <string.h>

#include "toy_kvm.h"

#define EFER_KNOWN	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)

struct toy toy;

static bool canonical(uint64_t value)
{
	return value + (1ull << 47) < 1ull << 48;
}

static bool write_efer(struct toy_vcpu *vcpu, int slot, uint64_t value,
		       bool guest)
{
	uint64_t old = vcpu->msrs[slot];

	if (value & ~EFER_KNOWN)
		return false;
	if (guest && (value & EFER_SVME ||
		      (vcpu->paging && (old ^ value) & EFER_LME)))
		return false;
	vcpu->msrs[slot] = (value & ~EFER_LMA) | (old & EFER_LMA);
	return true;
}

static bool write_msr(struct toy_vcpu *vcpu, int slot, uint64_t value,
		      bool guest)
{
	switch (replay_registers[slot]) {
	case MSR_EFER:
		return write_efer(vcpu, slot, value, guest);
	case MSR_LSTAR:
	case MSR_CSTAR:
		if (!canonical(value))
			return false;
		break;
	case MSR_PAT:
		if (value & 0xf8f8f8f8f8f8f8f8)
			return false;
		break;
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		value = (uint64_t)((int64_t)(value << 16) >> 16);
	}
	vcpu->msrs[slot] = value;
	return true;
}

bool toy_guest_write(struct toy_vcpu *vcpu, int slot, uint64_t value)
{
	return write_msr(vcpu, slot, value, true);
}

bool toy_host_write(struct toy_vcpu *vcpu, int slot, uint64_t value)
{
	return write_msr(vcpu, slot, value, false);
}

/* KVM_GET_MSRS and KVM_SET_MSRS: how many were done. */
static int do_msrs(struct toy_vcpu *vcpu, struct kvm_msrs *list, bool write)
{
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry *entry = &list->entries[i];
		int slot = replay_slot(entry->index);

		if (slot < 0)
			return (int)i;
		if (!write)
			entry->data = vcpu->msrs[slot];
		else if (!write_msr(vcpu, slot, entry->data, false))
			return (int)i;
	}
	return (int)list->nmsrs;
}

static int vcpu_ioctl(struct toy_vcpu *vcpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_MSRS:
		return do_msrs(vcpu, arg, false);
	case KVM_SET_MSRS:
		return do_msrs(vcpu, arg, true);
	case KVM_GET_SREGS:
		memset(arg, 0, sizeof(struct kvm_sregs));
		((struct kvm_sregs *)arg)->cr0 = vcpu->paging ? CR0_PG : 0;
		return 0;
	case KVM_GET_REGS:
		memset(arg, 0, sizeof(struct kvm_regs));
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd >= 0 && fd < TOY_VCPUS && !toy.fails)
		return vcpu_ioctl(&toy.vcpus[fd], request, arg);
	if (fd == TOY_VM && request == KVM_ENABLE_CAP)
		return 0;
	if (fd == TOY_VM && request == KVM_X86_SET_MSR_FILTER &&
	    !filter_copy(&toy.filter, arg))
		return 0;
	errno = EIO;
	return -1;
}
