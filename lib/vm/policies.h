/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another policy for a VM that runs. */
#ifndef REGPIN_LIB_POLICIES_H
#define REGPIN_LIB_POLICIES_H

#include "types.h"

/*
 * -EOPNOTSUPP if @host can't enforce one of @policy's rules: that stops the start, unless
 * the rule is optional or its registers are only looked at. Otherwise 0.
 */
int vm_check_host(const struct regpin_policy *policy, const struct host *host);

/* Forgets the policy before, if no vCPU may judge by it any more. */
void vm_forget_previous(struct regpin_vm *vm);

/* Would regpin_vm_set_policy() have it? Nothing changes. The same thread as for that. */
int vm_try_policy(struct regpin_vm *vm, const struct regpin_policy *policy);

#endif
