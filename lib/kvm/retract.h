/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An exit's completion by KVM_RUN, without the guest's running on; and taking one back. */
#ifndef REGPIN_LIB_RETRACT_H
#define REGPIN_LIB_RETRACT_H

#include "regs.h"

/*
 * immediate_exit is the VMM's as well, and any non-zero value does: ours is another
 * than that which VMMs write, so that each takes back only its own.
 */
#define EXIT_SOON	2
void vcpu_request_exit(struct kvm_run *run);
void vcpu_cancel_exit(struct kvm_run *run);

/*
 * Calls KVM_RUN for the completion of the last exit only: the guest does not run. 0,
 * VCPU_EXITED if the completion made KVM exit anew (a debugger's step, the next part of
 * an MMIO access), which is in the run page as after any KVM_RUN, or -errno.
 */
#define VCPU_EXITED	1
int vcpu_complete(struct vcpu_io *io);

/*
 * Takes an unanswered exit back: the vCPU stands before the instruction, with nothing
 * pending in KVM. 0; -EINVAL if there is no such exit; -errno, and then the exit stays,
 * answered with a #GP, or the vCPU's registers can't be trusted.
 */
int vcpu_retract(struct vcpu_io *io);

#endif
