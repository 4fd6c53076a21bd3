// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Taking an unanswered MSR exit back. KVM remembers it, and the next KVM_RUN
 * completes it whatever has become of the vCPU meanwhile, for MSR completions
 * don't compare the RIP. So it is completed at once, without entering the guest,
 * and what that changed is undone.
 */
#include <errno.h>

#include "vm.h"

static bool pending(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_X86_RDMSR ||
	       run->exit_reason == KVM_EXIT_X86_WRMSR;
}

int regpin_vcpu_retract(struct regpin_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_vcpu_events events;
	struct kvm_regs regs;
	int ret;

	if (!pending(run))
		return -EINVAL;
	/*
	 * RIP and, of an RDMSR, RAX and RDX; the interrupt shadow, and a #DB
	 * that single-stepping would raise behind the instruction.
	 */
	if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events))
		return -errno;
	run->msr.error = 0;
	run->immediate_exit = 1;
	ret = kvm_ioctl(vcpu->fd, KVM_RUN, NULL) ? errno : 0;
	/*
	 * A kick that came meanwhile is not lost: the caller goes back to the
	 * VMM's loop, which is where the kick wanted it.
	 */
	run->immediate_exit = 0;
	if (ret != EINTR)
		return ret ? -ret : -EIO;
	if (kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs) ||
	    kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events))
		return -errno;
	run->exit_reason = KVM_EXIT_INTR;
	return 0;
}
