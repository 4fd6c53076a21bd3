/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control thread, which carries out the operator's commands. */
#ifndef REGPIN_SHIM_CONTROL_H
#define REGPIN_SHIM_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

struct control;
struct handoff;

/*
 * Adds @vm to the VMs that the operator's commands reach. Caller holds control_lock()
 * here and while it attaches the VM; otherwise the VM could get a policy that is being
 * replaced. Returns false if there are STATUS_VMS VMs already: no command would reach the
 * new one.
 */
bool control_add_vm(const struct control *orders, struct handoff *handoff,
		    struct regpin_vm *vm, uint32_t number);

/*
 * The lock is held while a vCPU is detached or a VM is added, and by the control thread
 * while it works.
 */
void control_lock(void);
void control_unlock(void);

#endif
