/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The uAPI of KVM's CR filter, for programs built against kernel headers that lack it.
 * It is the same as in kernel/6.12/ (arch/x86/include/uapi/asm/kvm.h and
 * include/uapi/linux/kvm.h there), with the same names; if the system's headers have
 * that uAPI, their definitions are used. The numbers are provisional: no kernel uses
 * them for anything else, so a KVM without the filter answers 0, ENOTTY or ENXIO.
 *
 * Documentation: Documentation/virt/kvm/api.rst in that series.
 */
#ifndef REGPIN_KVM_CR_FILTER_H
#define REGPIN_KVM_CR_FILTER_H

#include <linux/kvm.h>

#ifndef KVM_X86_SET_CR_FILTER

/* regs[] of the filter, and attributes of KVM_X86_GRP_CR_FILTER. */
#define KVM_X86_CR_FILTER_CR0	0
#define KVM_X86_CR_FILTER_CR4	1
#define KVM_X86_CR_FILTER_XCR0	2
#define KVM_X86_CR_FILTER_NR	8

/**
 * struct kvm_x86_cr_filter_reg - which writes of one register are filtered
 * @clear_mask:	bits whose change from 1 to 0 is filtered
 * @set_mask:	bits whose change from 0 to 1 is filtered
 */
struct kvm_x86_cr_filter_reg {
	__u64 clear_mask;
	__u64 set_mask;
};

/* A filtered write exits with KVM_EXIT_X86_CR_WRITE; without the flag it gets #GP(0). */
#define KVM_X86_CR_FILTER_EXIT		(1 << 0)
/* Exit to userspace after an INIT, before the vCPU's next instruction. */
#define KVM_X86_CR_FILTER_EXIT_INIT	(1 << 1)

/**
 * struct kvm_x86_cr_filter - argument of KVM_X86_SET_CR_FILTER, a VM ioctl
 * @flags:	KVM_X86_CR_FILTER_*
 * @pad:	0
 * @regs:	indexed by KVM_X86_CR_FILTER_CR0 etc.; entries without a name are 0
 * @reserved:	0
 *
 * Replaces the VM's filter at once; a filter of all zeroes removes it. Returns 0, or -1
 * with EINVAL (an unknown flag, a bit that KVM_X86_GRP_CR_FILTER does not name, a
 * nonzero field that must be 0, a VM whose registers are encrypted), EFAULT, ENOMEM,
 * ENOTTY (this KVM has no CR filter).
 */
struct kvm_x86_cr_filter {
	__u32 flags;
	__u32 pad;
	struct kvm_x86_cr_filter_reg regs[KVM_X86_CR_FILTER_NR];
	__u64 reserved[7];
};

#define KVM_X86_SET_CR_FILTER	_IOW(0xc8, 0x00, struct kvm_x86_cr_filter)

/* KVM_CHECK_EXTENSION on a VM: the flags that KVM supports, or 0. */
#define KVM_CAP_X86_CR_FILTER	0x52500001
/* KVM_GET_DEVICE_ATTR on /dev/kvm: a __u64, the bits that a filter may name. */
#define KVM_X86_GRP_CR_FILTER	0x52500001

#define KVM_EXIT_X86_CR_WRITE	0x52500001

/* @cause of struct regpin_cr_write */
#define KVM_X86_CR_CAUSE_MOV	0
#define KVM_X86_CR_CAUSE_LMSW	1
#define KVM_X86_CR_CAUSE_CLTS	2
#define KVM_X86_CR_CAUSE_XSETBV	3
#define KVM_X86_CR_CAUSE_INIT	4

#endif /* KVM_X86_SET_CR_FILTER */

/**
 * struct regpin_cr_write - kvm_run.cr_write
 * @error:	out: 1, so that a write that userspace does not answer ends in #GP(0);
 *		0 if @cause is KVM_X86_CR_CAUSE_INIT. in: 0 performs the write of
 *		@value, any other value injects #GP(0)
 * @pad:	0
 * @cause:	KVM_X86_CR_CAUSE_*
 * @reg:	KVM_X86_CR_FILTER_CR0 etc.
 * @flags:	0
 * @old_value:	the register before the write
 * @value:	out: what the guest writes; in: what KVM is to write if @error is 0
 * @filtered:	the bits for which the filter stopped the write
 * @init: for KVM_X86_CR_CAUSE_INIT: CR0, CR4 and EFER before the INIT. The INIT has
 *		already happened; KVM reads nothing back.
 */
struct regpin_cr_write {
	__u8 error;
	__u8 pad[3];
	__u32 cause;
	__u32 reg;
	__u32 flags;
	union {
		struct {
			__u64 old_value;
			__u64 value;
			__u64 filtered;
		};
		struct {
			__u64 cr0;
			__u64 cr4;
			__u64 efer;
		} init;
	};
};

/**
 * regpin_cr_write() - the data of a KVM_EXIT_X86_CR_WRITE
 * @run:	a vCPU's kvm_run, after such an exit
 *
 * Returns: a pointer into @run.
 */
static inline struct regpin_cr_write *regpin_cr_write(struct kvm_run *run)
{
	return (struct regpin_cr_write *)&run->hw;
}

#endif
