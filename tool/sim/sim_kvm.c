// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's ioctls on a simulated KVM. In the tool this kvm_ioctl() replaces that of
 * lib/kvm/ioctl.c: calls on other files than the simulated VM's go to the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/judge/msr_filter.h"
#include "lib/kvm/ioctl.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "sim_kvm.h"

/* SDM volume 3, "Processor State After Reset" */
#define CR0_RESET	0x60000010ull
#define CS_RESET	0xffff0000ull

static struct sim_kvm *sim;

void sim_kvm_use(struct sim_kvm *kvm)
{
	sim = kvm;
}

void sim_reset(struct sim_vcpu *vcpu)
{
	free(vcpu->msrs);
	vcpu->msrs = NULL;
	vcpu->size = vcpu->used = 0;
	memset(vcpu->replayed, 0, sizeof(vcpu->replayed));
	vcpu->replayed[replay_slot(MSR_PAT)] = PAT_RESET;
	memset(vcpu->crs, 0, sizeof(vcpu->crs));
	vcpu->crs[REGPIN_CR0 - REGPIN_CR0] = CR0_RESET;
	vcpu->crs[REGPIN_XCR0 - REGPIN_CR0] = 1;
	vcpu->known = SIM_KNOWS_ALL;
	vcpu->cs = CS_RESET;
}

/* The entry of @index in @msrs, which has free entries. */
static struct sim_msr *place(struct sim_msr *msrs, uint32_t size,
			     uint32_t index)
{
	uint32_t at = index * 2654435769u;

	for (at ^= at >> 15;; at++) {
		struct sim_msr *msr = &msrs[at & (size - 1)];

		if (!msr->used || msr->index == index)
			return msr;
	}
}

uint64_t sim_get_msr(const struct sim_vcpu *vcpu, uint32_t index)
{
	int slot = replay_slot(index);
	const struct sim_msr *msr;

	if (slot >= 0)
		return vcpu->replayed[slot];
	if (!vcpu->size)
		return 0;
	msr = place(vcpu->msrs, vcpu->size, index);
	return msr->used ? msr->value : 0;
}

static bool grow(struct sim_vcpu *vcpu)
{
	uint32_t size = vcpu->size ? 2 * vcpu->size : 16;
	struct sim_msr *msrs = calloc(size, sizeof(*msrs));

	if (!msrs)
		return false;
	for (uint32_t i = 0; i < vcpu->size; i++)
		if (vcpu->msrs[i].used)
			*place(msrs, size, vcpu->msrs[i].index) = vcpu->msrs[i];
	free(vcpu->msrs);
	vcpu->msrs = msrs;
	vcpu->size = size;
	return true;
}

bool sim_set_msr(struct sim_vcpu *vcpu, uint32_t index, uint64_t value)
{
	int slot = replay_slot(index);
	struct sim_msr *msr;

	if (index == MSR_EFER)
		vcpu->known |= SIM_KNOWS_EFER;
	if (slot >= 0) {
		vcpu->replayed[slot] = value;
		return true;
	}
	if (2 * vcpu->used >= vcpu->size && !grow(vcpu))
		return false;
	msr = place(vcpu->msrs, vcpu->size, index);
	vcpu->used += !msr->used;
	*msr = (struct sim_msr){ index, true, value };
	return true;
}

void sim_set_cr(struct sim_vcpu *vcpu, unsigned int kind, uint64_t value)
{
	uint64_t *efer = &vcpu->replayed[replay_slot(MSR_EFER)];

	vcpu->crs[kind - REGPIN_CR0] = value;
	vcpu->known |= 1u << (kind - REGPIN_CR0);
	if (kind != REGPIN_CR0)
		return;
	if (value & CR0_PG && *efer & EFER_LME)
		*efer |= EFER_LMA;
	else
		*efer &= ~EFER_LMA;
}

uint64_t sim_named_bits(unsigned int kind, uint32_t index)
{
	const struct regpin_register *reg = register_find(kind, index);
	uint64_t bits = 0;

	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		bits |= ((bit->width < 64 ? 1ull << bit->width : 0) - 1)
			<< bit->lo;
	}
	return bits;
}

static int refuse(int err)
{
	errno = err;
	return -1;
}

/*
 * Does KVM refuse this access, because the trace marks it? It refuses all accesses to an MSR
 * that it does not know, but of an invalid access only the same one: another may be valid.
 */
static bool refuses(const struct kvm_msr_entry *entry, bool write)
{
	const struct trace_line *line = sim->refused;

	if (!line || entry->index != line->index)
		return false;
	if (line->refusal == TRACE_UNKNOWN)
		return true;
	return line->op == TRACE_WRMSR ? write && entry->data == line->value :
					 !write;
}

static int do_msrs(struct sim_vcpu *vcpu, struct kvm_msrs *list, bool write)
{
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry *entry = &list->entries[i];

		if (refuses(entry, write) ||
		    (write && entry->index == MSR_EFER &&
		     entry->data & sim->efer_reserved))
			return (int)i;
		/* KVM ignores LMA, which follows CR0.PG and LME. */
		if (write && entry->index == MSR_EFER)
			entry->data = (entry->data & ~EFER_LMA) |
				(sim_get_msr(vcpu, MSR_EFER) & EFER_LMA);
		if (!write)
			entry->data = sim_get_msr(vcpu, entry->index);
		else if (!sim_set_msr(vcpu, entry->index, entry->data))
			return refuse(ENOMEM);
	}
	return (int)list->nmsrs;
}

static int get_sregs(const struct sim_vcpu *vcpu, struct kvm_sregs *sregs)
{
	memset(sregs, 0, sizeof(*sregs));
	sregs->cr0 = vcpu->crs[REGPIN_CR0 - REGPIN_CR0];
	sregs->cr4 = vcpu->crs[REGPIN_CR4 - REGPIN_CR0];
	sregs->efer = vcpu->replayed[replay_slot(MSR_EFER)];
	sregs->cs.base = vcpu->cs;
	return 0;
}

static int get_xcrs(const struct sim_vcpu *vcpu, struct kvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].value = vcpu->crs[REGPIN_XCR0 - REGPIN_CR0];
	return 0;
}

static int vcpu_ioctl(struct sim_vcpu *vcpu, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_MSRS:
		return do_msrs(vcpu, arg, false);
	case KVM_SET_MSRS:
		return do_msrs(vcpu, arg, true);
	case KVM_GET_SREGS:
		return get_sregs(vcpu, arg);
	case KVM_SET_SREGS:
		sim_set_cr(vcpu, REGPIN_CR0, ((struct kvm_sregs *)arg)->cr0);
		sim_set_cr(vcpu, REGPIN_CR4, ((struct kvm_sregs *)arg)->cr4);
		return 0;
	case KVM_GET_XCRS:
		return get_xcrs(vcpu, arg);
	case KVM_SET_XCRS:
		sim_set_cr(vcpu, REGPIN_XCR0,
			   ((struct kvm_xcrs *)arg)->xcrs[0].value);
		return 0;
	case KVM_GET_REGS:
		memset(arg, 0, sizeof(struct kvm_regs));
		return 0;
	case KVM_GET_VCPU_EVENTS:
		memset(arg, 0, sizeof(struct kvm_vcpu_events));
		return 0;
	case KVM_GET_MP_STATE:
		((struct kvm_mp_state *)arg)->mp_state = KVM_MP_STATE_RUNNABLE;
		return 0;
	case KVM_SET_REGS:
	case KVM_SET_VCPU_EVENTS:
		return 0;
	case KVM_RUN:	/* the completion of an answered exit */
		return refuse(EINTR);
	default:
		return refuse(ENOTTY);
	}
}

static int enable_cap(const struct kvm_enable_cap *cap)
{
	if (cap->cap == KVM_CAP_EXIT_HYPERCALL)
		sim->forwards = cap->args[0];
	if (cap->cap == KVM_CAP_X86_USER_SPACE_MSR)
		sim->reasons = cap->args[0];
	return 0;
}

static int vm_ioctl(unsigned long request, void *arg)
{
	int ret;

	switch (request) {
	case KVM_X86_SET_MSR_FILTER:
		ret = filter_copy(&sim->filter, arg);
		return ret ? refuse(-ret) : 0;
	case KVM_X86_SET_CR_FILTER:
		memcpy(&sim->crs, arg, sizeof(sim->crs));
		return 0;
	case KVM_ENABLE_CAP:
		return enable_cap(arg);
	case KVM_CHECK_EXTENSION:
		return (uintptr_t)arg == KVM_CAP_EXIT_HYPERCALL ? 1 << 13 : 0;
	default:
		return refuse(ENOTTY);
	}
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	if (!sim || fd < SIM_VM_FD)
		return ioctl(fd, request, arg);
	if (fd == SIM_VM_FD)
		return vm_ioctl(request, arg);
	return vcpu_ioctl(sim->vcpus[fd - SIM_VCPU_FD], request, arg);
}
