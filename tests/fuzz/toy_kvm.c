// SPDX-License-Identifier: GPL-2.0-only
/*
 * The toy KVM follows __kvm_set_msr(), set_efer() and kvm_mtrr_valid(), and
 * kvm_set_msr_with_filter() for the order in which KVM checks filter, register and
 * value.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/kvm/ioctl.h"
#include "lib/policy/registers.h"
#include "toy_kvm.h"

#define EFER_KNOWN	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME)
#define MTRR_DEF_TYPE	0x2ffu
#define MTRR_FIX_FIRST	0x250u
#define MTRR_FIX_LAST	0x26fu

struct toy toy;
void (*toy_changed)(void);

static uint32_t replay[TOY_REPLAY];
static int nr_replay;

/* Read from the table once. */
static void read_table(void)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->kind != REGPIN_MSR || !reg->replay)
			continue;
		for (uint32_t n = 0; n < reg->count; n++) {
			if (nr_replay == TOY_REPLAY)
				abort();
			replay[nr_replay++] = reg->index + n;
		}
	}
}

int toy_nr_replay(void)
{
	if (!nr_replay)
		read_table();
	return nr_replay;
}

uint32_t toy_replay(int slot)
{
	return replay[slot];
}

int toy_slot(uint32_t index)
{
	const struct regpin_register *reg = register_find(REGPIN_MSR, index);

	for (int i = 0; reg && reg->replay && i < toy_nr_replay(); i++)
		if (replay[i] == index)
			return i;
	if (!reg || (reg->note && strstr(reg->note, "unknown to KVM")))
		return -1;
	return TOY_REPLAY + (int)(index % TOY_OTHERS);
}

static bool canonical(uint64_t value)
{
	return value + (1ull << 47) < 1ull << 48;
}

static bool efer_ok(const struct toy_vcpu *vcpu, uint64_t old, uint64_t value,
		    bool guest, bool nested)
{
	uint64_t known = EFER_SCE | (toy.nx ? EFER_NXE : 0) |
			 (toy.lm ? EFER_LME | EFER_LMA : 0) |
			 (toy.svm ? EFER_SVME : 0);

	if (!guest)
		return !(value & ~EFER_KNOWN);
	return !(value & ~known) &&
	       !(vcpu->paging && (old ^ value) & EFER_LME) &&
	       !(nested && old & ~value & EFER_SVME);
}

/* Do all 8 bytes name a memory type? */
static bool types_ok(uint64_t value, bool pat)
{
	for (int i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(value >> i);

		if (type > 7 || type == 2 || type == 3 || (type == 7 && !pat))
			return false;
	}
	return true;
}

static bool mtrr_ok(uint32_t index, uint64_t value)
{
	const uint64_t reserved = ~0ull << TOY_WIDTH;

	if (index == MTRR_DEF_TYPE)
		return !(value & ~0xcffull) && types_ok(value & 0xff, false);
	if (index >= MTRR_FIX_FIRST && index <= MTRR_FIX_LAST)
		return types_ok(value, false);
	if (index % 2)
		return !(value & (reserved | 0x7ff));
	return !(value & (reserved | 0xf00)) && types_ok(value & 0xff, false);
}

/* Its guests have no VMX and no SGX, and have LMCE if their MCG_CAP allows it. */
static bool feature_control_ok(const struct toy_vcpu *vcpu, uint64_t old,
			       uint64_t value, bool guest, bool nested)
{
	const uint64_t all = 0x160007, lock = 1, lmce = 1 << 20;
	uint64_t cap = vcpu->msrs[toy_slot(MSR_MCG_CAP)];

	if (!guest)
		return !(value & ~(toy.amd ? 0 : all));
	return !(old & lock) && !(nested && !value) &&
	       !(value & ~(lock | (cap & 1 << 27 ? lmce : 0)));
}

static bool value_ok(const struct toy_vcpu *vcpu, uint32_t index, uint64_t old,
		     uint64_t value, bool guest, bool nested)
{
	switch (index) {
	case MSR_EFER:
		return efer_ok(vcpu, old, value, guest, nested);
	case MSR_LSTAR:
	case MSR_CSTAR:
		return canonical(value);
	case MSR_PAT:
		return types_ok(value, true);
	case MSR_FEATURE_CONTROL:
		return feature_control_ok(vcpu, old, value, guest, nested);
	case MSR_TSC_AUX:
		return (toy.aux || !guest) && (toy.amd || !(value >> 32));
	case MSR_MTRR_PHYSBASE0 ... MTRR_FIX_LAST:
	case MTRR_DEF_TYPE:
		return mtrr_ok(index, value);
	default:
		return toy_slot(index) < TOY_REPLAY || !(value >> 63);
	}
}

/* The register's value after the write. */
static uint64_t kept(uint32_t index, uint64_t old, uint64_t value)
{
	switch (index) {
	case MSR_EFER:
		return (value & ~EFER_LMA) | (old & EFER_LMA);
	case MSR_TSC_AUX:
		return (uint32_t)value;
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return toy.amd ? (uint32_t)value :
				 (uint64_t)((int64_t)(value << 16) >> 16);
	default:
		return value;
	}
}

/* KVM on SVM has it for userspace only, and only as zero. */
static bool is_hosts_only(uint32_t index)
{
	return toy.amd && index == MSR_FEATURE_CONTROL;
}

enum toy_result toy_write(struct toy_vcpu *vcpu, uint32_t index, uint64_t value,
			  bool guest, bool nested)
{
	int slot = toy_slot(index);

	if (slot < 0 || (guest && is_hosts_only(index)))
		return TOY_UNKNOWN;
	if (!value_ok(vcpu, index, vcpu->msrs[slot], value, guest, nested))
		return TOY_REFUSED;
	vcpu->msrs[slot] = kept(index, vcpu->msrs[slot], value);
	return TOY_OK;
}

enum toy_result toy_read(const struct toy_vcpu *vcpu, uint32_t index,
			 bool guest, uint64_t *value)
{
	int slot = toy_slot(index);

	if (slot < 0 || (guest && is_hosts_only(index)))
		return TOY_UNKNOWN;
	if ((guest && index == MSR_TSC_AUX && !toy.aux) ||
	    (slot >= TOY_REPLAY && index % 5 == 4))
		return TOY_REFUSED;
	*value = vcpu->msrs[slot];
	return TOY_OK;
}

static bool exits(unsigned int n, uint32_t reason, uint32_t index, bool write,
		  uint64_t value)
{
	struct kvm_run *run = toy.exits[n].run;

	if (!(toy.mask & reason))
		return false;
	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.reason = reason;
	run->msr.index = index;
	run->msr.data = write ? value : TOY_POISON_DATA;
	run->msr.error = TOY_POISON_ERROR;
	toy.exits[n].pending = true;
	return true;
}

bool toy_guest(unsigned int n, uint32_t index, bool write, uint64_t *value,
	       bool *gp)
{
	bool nested = toy.exits[n].run->flags & TOY_NESTED;
	struct toy_vcpu *vcpu = &toy.vcpus[n];
	enum toy_result result;

	*gp = true;
	if (!model_filter_allows(&toy.filter.filter, index,
				 write ? ACCESS_WRITE : ACCESS_READ))
		return !exits(n, KVM_MSR_EXIT_REASON_FILTER, index, write,
			      *value);
	result = write ? toy_write(vcpu, index, *value, true, nested) :
			 toy_read(vcpu, index, true, value);
	if (result == TOY_UNKNOWN && toy.ignore_msrs) {
		*value = write ? *value : 0;
		result = TOY_OK;
	}
	*gp = result != TOY_OK;
	if (result == TOY_OK)
		return true;
	return !exits(n, result == TOY_UNKNOWN ? KVM_MSR_EXIT_REASON_UNKNOWN :
						 KVM_MSR_EXIT_REASON_INVAL,
		      index, write, *value);
}

void toy_complete(unsigned int n)
{
	struct toy_exit *exit = &toy.exits[n];

	/* A #GP is raised before the instruction. */
	if (!exit->pending || !exit->run->msr.error)
		exit->rip += 2;
	if (exit->pending && exit->run->exit_reason == KVM_EXIT_X86_RDMSR &&
	    !exit->run->msr.error)
		exit->rax = exit->run->msr.data;
	exit->pending = false;
}

/* KVM_GET_MSRS and KVM_SET_MSRS: return how many MSRs were done. */
static int do_msrs(struct toy_vcpu *vcpu, struct kvm_msrs *list, bool write)
{
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		struct kvm_msr_entry *entry = &list->entries[i];
		__u64 data = entry->data;
		uint64_t value = data;

		/* regpin writes no other MSR, neither for a guest nor for itself. */
		if (write && (toy_slot(entry->index) < 0 ||
			      toy_slot(entry->index) >= TOY_REPLAY))
			abort();
		if ((write ? toy_write(vcpu, entry->index, value, false,
				       false) :
			     toy_read(vcpu, entry->index, false, &value)) !=
		    TOY_OK)
			return (int)i;
		entry->data = value;
	}
	return (int)list->nmsrs;
}

/*
 * Only to complete what regpin or the VMM answered, if anything: the guest is entered
 * only by its VMM.
 */
static int complete_only(unsigned int n)
{
	struct kvm_run *run = toy.exits[n].run;
	bool msr = run->exit_reason == KVM_EXIT_X86_RDMSR ||
		   run->exit_reason == KVM_EXIT_X86_WRMSR;

	if (!run->immediate_exit ||
	    (toy.exits[n].pending && msr && run->msr.error > 1))
		abort();
	if (toy.exits[n].pending)
		toy_complete(n);
	errno = EINTR;
	return -1;
}

static void get_sregs(const struct toy_vcpu *vcpu, struct kvm_sregs *sregs)
{
	memset(sregs, 0, sizeof(*sregs));
	sregs->cr0 = vcpu->paging ? CR0_PG : 0;
	sregs->efer = vcpu->msrs[toy_slot(MSR_EFER)];
}

static void get_events(const struct kvm_run *run,
		       struct kvm_vcpu_events *events)
{
	memset(events, 0, sizeof(*events));
	events->flags = KVM_VCPUEVENT_VALID_SMM;
	events->smi.smm = run->flags & 1;
}

static int vcpu_ioctl(unsigned int n, unsigned long request, void *arg)
{
	struct toy_exit *exit = &toy.exits[n];
	struct kvm_regs *regs = arg;

	switch (request) {
	case KVM_GET_MSRS:
		return do_msrs(&toy.vcpus[n], arg, false);
	case KVM_SET_MSRS:
		return do_msrs(&toy.vcpus[n], arg, true);
	case KVM_GET_SREGS:
		get_sregs(&toy.vcpus[n], arg);
		return 0;
	case KVM_GET_REGS:
		memset(regs, 0, sizeof(*regs));
		regs->rip = exit->rip;
		regs->rax = exit->rax;
		return 0;
	case KVM_SET_REGS:
		exit->rip = regs->rip;
		exit->rax = regs->rax;
		return 0;
	case KVM_GET_VCPU_EVENTS:
		get_events(exit->run, arg);
		return 0;
	case KVM_SET_VCPU_EVENTS:
		return 0;
	case KVM_RUN:
		return complete_only(n);
	}
	errno = ENOTTY;
	return -1;
}

static int change_vm(unsigned long request, void *arg)
{
	const struct kvm_enable_cap *cap = arg;

	switch (request) {
	case KVM_ENABLE_CAP:
		if (cap->cap == KVM_CAP_X86_USER_SPACE_MSR)
			toy.mask = cap->args[0];
		return 0;
	case KVM_CHECK_EXTENSION:	/* hypercall 13 can be forwarded */
		return 1 << 13;
	case KVM_X86_SET_MSR_FILTER:
		if (!filter_copy(&toy.filter, arg))
			return 0;
	}
	errno = EINVAL;
	return -1;
}

static int vm_ioctl(unsigned long request, void *arg)
{
	int ret = change_vm(request, arg);

	if (toy_changed)
		toy_changed();
	return ret;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd == TOY_VM)
		return vm_ioctl(request, arg);
	if (fd >= 0 && fd < TOY_VCPUS && !toy.fails)
		return vcpu_ioctl((unsigned int)fd, request, arg);
	errno = EIO;
	return -1;
}
