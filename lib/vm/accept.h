/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Features of a VM by which pins can be evaded, and whether the policy accepts them. */
#ifndef REGPIN_LIB_ACCEPT_H
#define REGPIN_LIB_ACCEPT_H

#include "types.h"

/*
 * vm_accepted_locked() returns what the VM's policy accepts: POLICY_ACCEPT_*, and
 * POLICY_ONLY_REPORTS. vm_accepts_locked(): does @policy accept all features that the VM
 * and its guest already have? Caller holds the VM lock.
 */
uint32_t vm_accepted_locked(const struct regpin_vm *vm);
bool vm_accepts_locked(const struct regpin_vm *vm,
		       const struct regpin_policy *policy);

/*
 * The VM is about to get the feature that @reason names. Returns 0 if @accepted, which
 * vm_accepted_locked() returned, allows it, or if the policy only reports: the feature is
 * then reported as tolerated. Otherwise refuses it like vm_refuse().
 */
int vm_allow_or_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		       uint32_t accepted, enum regpin_refusal reason);

/* Reports each feature that the policy in force does not accept but tolerates. */
void vm_report_tolerated(struct regpin_vm *vm);

#endif
