/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that only newer <linux/kvm.h> and <linux/kvm_para.h> have, or that no kernel
 * exports to userspace. If the installed headers have a name, theirs is used.
 */
#ifndef REGPIN_LIB_UAPI_H
#define REGPIN_LIB_UAPI_H

/* struct kvm_run's @flags on x86 */
#ifndef KVM_RUN_X86_SMM
#define KVM_RUN_X86_SMM		(1 << 0)
#endif
#ifndef KVM_RUN_X86_GUEST_MODE
#define KVM_RUN_X86_GUEST_MODE	(1 << 2)	/* since Linux 6.10 */
#endif

/* The maximum for KVM_SET_CPUID2, from arch/x86/include/asm/kvm_host.h. */
#define KVM_MAX_CPUID_ENTRIES	256

/* KVM_HC_LOCK_CR_UPDATE (see kernel/): the hypercall by which a guest asks for its pins. */
#define HC_LOCK_CR_UPDATE	13

#endif
