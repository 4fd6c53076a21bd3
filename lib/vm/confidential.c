// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VMs whose registers or memory the host cannot read: SEV, SEV-ES, SEV-SNP, TDX. A VM
 * becomes one by the type that KVM_CREATE_VM is given or, if it has the default type, by
 * KVM_MEMORY_ENCRYPT_OP, or by a capability that gives it the encryption of another VM.
 * The registers that regpin reads there would not be the guest's, and its writes would
 * have no effect, so each of these ways is refused before KVM is asked.
 */
#include <errno.h>

#include "confidential.h"
#include "core.h"
#include "lib/kvm/ioctl.h"

/* <asm/kvm.h> of Debian 12 has none of these. */
#define VM_DEFAULT	0u	/* KVM_X86_DEFAULT_VM */
#define VM_SW_PROTECTED	1u	/* KVM_X86_SW_PROTECTED_VM: its registers are KVM's */

int regpin_check_vm_type(__u64 type)
{
	/* Types that are not known are refused as well: they may be confidential. */
	return type == VM_DEFAULT || type == VM_SW_PROTECTED ? 0 : -EPERM;
}

int regpin_vm_check_encrypt_op(struct regpin_vm *vm, const void *cmd)
{
	/* Without a command, the ioctl only asks whether KVM supports it. */
	if (!cmd)
		return 0;
	return vm_refuse(vm, NULL, REGPIN_REFUSED_CONFIDENTIAL);
}

int regpin_vm_check_cap(struct regpin_vm *vm, __u32 cap)
{
	if (cap != KVM_CAP_VM_COPY_ENC_CONTEXT_FROM &&
	    cap != KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)
		return 0;
	return vm_refuse(vm, NULL, REGPIN_REFUSED_CONFIDENTIAL);
}

bool vm_is_confidential(int vm_fd)
{
	/*
	 * KVM does not return the type of an existing VM. But a VM with protected registers
	 * has no read-only memory, and every other VM on x86 has it (since Linux 6.11).
	 */
	return kvm_ioctl(vm_fd, KVM_CHECK_EXTENSION,
			 (void *)(uintptr_t)KVM_CAP_READONLY_MEM) == 0 &&
	       kvm_ioctl(vm_fd, KVM_CHECK_EXTENSION,
			 (void *)(uintptr_t)KVM_CAP_USER_MEMORY) > 0;
}
