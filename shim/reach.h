/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks whether kicks reach the vCPUs. */
#ifndef REGPIN_SHIM_REACH_H
#define REGPIN_SHIM_REACH_H

#include "regpin/regpin.h"

/*
 * Checks whether kicks reach the vCPUs of all VMs in the list that begins with @all and
 * is linked by vm_older(). Reports each change. Called on the control thread; caller
 * holds control_lock(), so that no vCPU is detached.
 */
void reach_check(struct regpin_vm *all);

#endif
