/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a policy accepts that a VM has although it can be used to get past pins. */
#ifndef REGPIN_LIB_ACCEPT_H
#define REGPIN_LIB_ACCEPT_H

#include "types.h"

/*
 * What the VM's policy accepts, POLICY_* and POLICY_ONLY_REPORTS; and does
 * @policy accept what the VM and its guest have already? Under the lock.
 */
uint32_t vm_accepted_locked(const struct regpin_vm *vm);
bool vm_accepts_locked(const struct regpin_vm *vm,
		       const struct regpin_policy *policy);

/*
 * May the VM have what gives @reason to refuse it, by a policy that has @accepted? If
 * not, as vm_refuse(). If the policy only reports, that is an event and 0.
 */
int vm_allow_or_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		       uint32_t accepted, enum regpin_refusal reason);

/* A policy is in force: what of the VM and its host does it not accept, and tolerates? */
void vm_report_tolerated(struct regpin_vm *vm);

#endif
