/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Do kicks still reach the vCPUs? */
#ifndef REGPIN_SHIM_REACH_H
#define REGPIN_SHIM_REACH_H

#include "regpin/regpin.h"

/*
 * Looks whether kicks reach the vCPUs of @all VMs, a list by @older. Each change is
 * an event. Now and then, on one thread, while vCPUs stay (control_lock()).
 */
void reach_check(struct regpin_vm *all);

#endif
