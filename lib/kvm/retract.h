/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completing an exit by KVM_RUN without running the guest, and taking an exit back. */
#ifndef REGPIN_LIB_RETRACT_H
#define REGPIN_LIB_RETRACT_H

#include "regs.h"

/*
 * Set and clear @run->immediate_exit. The VMM uses the field as well, and KVM accepts any
 * nonzero value. Ours differs from the 1 that VMMs set, so that each side only clears its
 * own.
 */
#define EXIT_SOON	2
void vcpu_request_exit(struct kvm_run *run);
void vcpu_cancel_exit(struct kvm_run *run);

/*
 * Calls KVM_RUN to complete the last exit only; the guest does not run. Returns 0;
 * VCPU_EXITED if KVM exited again because of the completion (a debugger's step, the next
 * part of an MMIO access), with the exit in the run page as after any KVM_RUN; or -errno.
 */
#define VCPU_EXITED	1
int vcpu_complete(struct vcpu_io *io);

/*
 * Takes back an exit that was not answered: afterwards RIP is at the instruction, and
 * nothing is pending in KVM. Returns 0; -EINVAL if there is no such exit; -EIO if KVM
 * exited again; or -errno. After an error other than -EINVAL, either the exit remains,
 * answered with #GP, or the vCPU's registers are undefined.
 */
int vcpu_retract(struct vcpu_io *io);

#endif
