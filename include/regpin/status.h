/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status of VMs and vCPUs under a policy. <regpin/regpin.h> includes this header and
 * explains the library.
 */
#ifndef REGPIN_STATUS_H
#define REGPIN_STATUS_H

#include "regpin/event.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct regpin_vm;
struct regpin_vcpu;

/**
 * enum regpin_status - status flags of a VM or vCPU
 * @REGPIN_IS_ARMED: a vCPU's pins hold; for a VM: those of at least one vCPU
 * @REGPIN_IS_HELD: the vCPU waits for an answer
 * @REGPIN_IS_FRESH: the vCPU's LSTAR may be an earlier kernel's: the vCPU has had an
 *	INIT, or another kernel took over while the pins were lifted, and the vCPU has not
 *	set LSTAR since
 * @REGPIN_IS_WINDOWED: a window of the VM is open
 * @REGPIN_IS_STOPPED: the VM must not continue
 * @REGPIN_IS_FILTERED: KVM's CR filter is installed for the VM
 * @REGPIN_IS_POLLED: the VM's control registers are polled, not filtered
 * @REGPIN_IS_SETTING_UP: the vCPU is armed, but has not finished its syscall set-up, so
 *	`uniform` and `once` don't hold for it yet; for a VM: no armed vCPU has finished
 *	it, so no uniform value is settled
 * @REGPIN_IS_UNREACHED: the vCPU can't be made to leave KVM_RUN, so it is not polled
 *	either; for a VM: that holds for at least one vCPU
 * @REGPIN_IS_CLOSED: no vCPU of the VM arms before the operator arms the VM or, with
 *	`arming: request`, before the guest asks for its pins
 */
enum regpin_status {
	REGPIN_IS_ARMED = 1 << 0,
	REGPIN_IS_HELD = 1 << 1,
	REGPIN_IS_FRESH = 1 << 2,
	REGPIN_IS_WINDOWED = 1 << 3,
	REGPIN_IS_STOPPED = 1 << 4,
	REGPIN_IS_FILTERED = 1 << 5,
	REGPIN_IS_POLLED = 1 << 6,
	REGPIN_IS_SETTING_UP = 1 << 7,
	REGPIN_IS_UNREACHED = 1 << 8,
	REGPIN_IS_CLOSED = 1 << 9
};

/**
 * regpin_vm_status() - the status flags of a VM
 * @vm: the VM. Any thread
 *
 * Returns: a mask of enum regpin_status.
 */
unsigned int regpin_vm_status(struct regpin_vm *vm);

/**
 * regpin_vcpu_status() - the status flags of a vCPU
 * @vcpu: the vCPU. Any thread
 * @held: if the vCPU is held, filled with the event that reported it; may be NULL
 *
 * Returns: a mask of enum regpin_status.
 */
unsigned int regpin_vcpu_status(struct regpin_vcpu *vcpu,
				struct regpin_event *held);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
