/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The swap of a VM's policy while the VM runs. */
#ifndef REGPIN_LIB_POLICIES_H
#define REGPIN_LIB_POLICIES_H

#include "types.h"

/*
 * Returns -EOPNOTSUPP if @host cannot enforce a rule of @policy that is neither optional
 * nor `detect`, otherwise 0.
 */
int vm_check_host(const struct regpin_policy *policy, const struct host *host);

/* Forgets the previous policy, if no vCPU may judge by it any more. */
void vm_forget_previous(struct regpin_vm *vm);

/*
 * Returns what regpin_vm_set_policy() would return, but changes nothing. Must be called on
 * the thread that calls regpin_vm_set_policy().
 */
int vm_try_policy(struct regpin_vm *vm, const struct regpin_policy *policy);

#endif
