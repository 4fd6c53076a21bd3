/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What <linux/kvm.h> and <linux/kvm_para.h> of newer kernels have, or none has for
 * userspace. A name that the installed headers have is theirs.
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

/* The most entries that KVM_SET_CPUID2 takes, arch/x86/include/asm/kvm_host.h. */
#define KVM_MAX_CPUID_ENTRIES	256

/* KVM_HC_LOCK_CR_UPDATE of our KVM (kernel/), by which a guest asks for its pins. */
#define HC_LOCK_CR_UPDATE	13

#endif
