/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rules of a VM's policy are in force. */
#ifndef REGPIN_LIB_IN_FORCE_H
#define REGPIN_LIB_IN_FORCE_H

#include "types.h"

/*
 * Under the lock: the rules of @whole that hold by @hold, or -ENOMEM. What was in force
 * stays readable, what was so before it does not; so, -EBUSY while that is needed.
 */
int in_force_resolve(struct regpin_vm *vm, const struct regpin_policy *whole,
		     uint64_t conditions, const struct regpin_policy **ret);

/* Which of @whole's conditions hold for the VM's guest, as far as it is known? */
uint64_t in_force_conditions_locked(struct regpin_vm *vm,
				    const struct regpin_policy *whole);

/*
 * A vCPU's CPUID is known, and @guest is what it says: with it, which rules hold. The
 * vCPU gets it whole, under the lock, and @accepted is what the policy accepts. 0 or
 * -errno; -EPERM: refused.
 */
int in_force_set_guest(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
		       const struct guest *guest, uint32_t *accepted);

#endif
