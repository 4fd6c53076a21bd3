/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The uAPI of KVM's CR filter, as kernel/6.12 has it. The kernel headers that
 * these programs are built with need not know it.
 */
#ifndef REGPIN_TESTS_ROADS_CR_FILTER_H
#define REGPIN_TESTS_ROADS_CR_FILTER_H

#include <linux/kvm.h>
#include <linux/types.h>

#ifndef KVM_CAP_X86_CR_FILTER
#define KVM_CAP_X86_CR_FILTER	0x52500001
#define KVM_EXIT_X86_CR_WRITE	0x52500001
#endif

#define CR_FILTER_EXIT		1u
#define CR_FILTER_EXIT_INIT	2u

enum { CR_FILTER_CR0, CR_FILTER_CR4, CR_FILTER_XCR0, CR_FILTER_NR = 8 };

struct cr_filter {
	__u32 flags, pad;
	struct {
		__u64 clear_mask, set_mask;
	} regs[CR_FILTER_NR];
	__u64 reserved[7];
};

#ifndef KVM_X86_SET_CR_FILTER
#define KVM_X86_SET_CR_FILTER	_IOW(0xc8, 0x00, struct cr_filter)
#endif

enum {
	CR_CAUSE_MOV, CR_CAUSE_LMSW, CR_CAUSE_CLTS, CR_CAUSE_XSETBV,
	CR_CAUSE_INIT
};

/* What kvm_run has at a KVM_EXIT_X86_CR_WRITE, from the exits' union on. */
struct cr_write {
	__u8 error, pad[3];
	__u32 cause, reg, flags;
	union {
		struct {
			__u64 old_value, value, filtered;
		};
		struct {
			__u64 cr0, cr4, efer;
		} init;
	};
};

#endif
