/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rules of a VM's policy are in force. */
#ifndef REGPIN_LIB_IN_FORCE_H
#define REGPIN_LIB_IN_FORCE_H

#include "types.h"

/*
 * Finds the rules of @whole that hold where @conditions are met. Returns 0, -ENOMEM, or
 * -EBUSY while a vCPU may still judge by the policy whose room is needed. The policy in
 * force stays readable; the one before it does not. Caller holds the VM lock, or is the
 * only thread that uses the VM.
 */
int in_force_resolve(struct regpin_vm *vm, const struct regpin_policy *whole,
		     uint64_t conditions, const struct regpin_policy **ret);

/* The conditions of @whole that the VM's guest meets; 0 before its CPUID is known. */
uint64_t in_force_conditions_locked(struct regpin_vm *vm,
				    const struct regpin_policy *whole);

/*
 * Sets @vcpu's guest to @guest, from its CPUID, which may put rules in force. @accepted
 * gets what the policy accepts at that moment. Returns 0, or -EPERM if the CPUID was
 * refused, which has been reported.
 */
int in_force_set_guest(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
		       const struct guest *guest, uint32_t *accepted);

#endif
