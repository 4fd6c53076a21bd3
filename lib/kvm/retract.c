// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Taking back an exit that was not answered. KVM remembers the exit, and its next KVM_RUN
 * completes it even if the vCPU's state was replaced meanwhile, because completions of
 * MSR accesses don't compare RIP. So the exit is completed at once, without entering the
 * guest, and the effects of the completion are undone.
 */
#include <errno.h>

#include "regpin/regpin.h"
#include "ioctl.h"
#include "retract.h"

/* Does @run hold an exit of a filter that can be taken back? */
static bool is_pending(struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_X86_RDMSR ||
	       run->exit_reason == KVM_EXIT_X86_WRMSR ||
	       (run->exit_reason == KVM_EXIT_X86_CR_WRITE &&
		regpin_cr_write(run)->cause != KVM_X86_CR_CAUSE_INIT);
}

/* Answers the exit so that only RIP and, for an RDMSR, RAX and RDX change. */
static void answer_nothing(struct kvm_run *run)
{
	struct regpin_cr_write *w = regpin_cr_write(run);

	if (run->exit_reason == KVM_EXIT_X86_CR_WRITE) {
		w->error = 0;
		w->value = w->old_value;
	} else {
		run->msr.error = 0;
	}
}

/*
 * Answers the exit with #GP. If an exit can't be taken back, KVM may complete it later;
 * with this answer the access does not happen then.
 */
static void answer_gp(struct kvm_run *run)
{
	if (run->exit_reason == KVM_EXIT_X86_CR_WRITE)
		regpin_cr_write(run)->error = 1;
	else
		run->msr.error = 1;
}

void vcpu_request_exit(struct kvm_run *run)
{
	uint8_t none = 0;

	__atomic_compare_exchange_n(&run->immediate_exit, &none, EXIT_SOON,
				    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void vcpu_cancel_exit(struct kvm_run *run)
{
	uint8_t ours = EXIT_SOON;

	__atomic_compare_exchange_n(&run->immediate_exit, &ours, 0, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

int vcpu_complete(struct vcpu_io *io)
{
	int err;

	vcpu_request_exit(io->run);
	err = kvm_ioctl(io->fd, KVM_RUN, NULL) ? errno : 0;
	vcpu_cancel_exit(io->run);
	io->answered = false;
	return err == EINTR ? 0 : err ? -err : VCPU_EXITED;
}

/*
 * Completes the exit that is taken back. If the VMM's debugger steps the guest, KVM exits
 * again to report the step after the instruction. That report can be dropped: the
 * instruction will be executed again, and the step will be reported again.
 */
static int complete_nothing(struct vcpu_io *io)
{
	int ret = vcpu_complete(io);

	if (ret != VCPU_EXITED)
		return ret;
	return io->run->exit_reason == KVM_EXIT_DEBUG ? 0 : -EIO;
}

int vcpu_retract(struct vcpu_io *io)
{
	struct kvm_run *run = io->run;
	struct kvm_vcpu_events events;
	struct kvm_regs regs;
	int ret;

	if (!is_pending(run))
		return -EINVAL;
	/*
	 * Save what the completion changes: the registers, the interrupt shadow, and a
	 * #DB that single-stepping would raise after the instruction. Other events must
	 * not be restored: an INIT, NMI or SMI that arrives in between would be lost.
	 */
	if (kvm_ioctl(io->fd, KVM_GET_REGS, &regs) ||
	    kvm_ioctl(io->fd, KVM_GET_VCPU_EVENTS, &events)) {
		ret = -errno;
		answer_gp(run);
		return ret;
	}
	events.flags &= KVM_VCPUEVENT_VALID_SHADOW |
			KVM_VCPUEVENT_VALID_PAYLOAD;
	answer_nothing(run);
	ret = complete_nothing(io);
	if (ret)
		return ret;
	if (kvm_ioctl(io->fd, KVM_SET_REGS, &regs) ||
	    kvm_ioctl(io->fd, KVM_SET_VCPU_EVENTS, &events))
		return -errno;
	run->exit_reason = KVM_EXIT_INTR;
	return 0;
}
