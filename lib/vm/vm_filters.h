/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filters that KVM gets for a VM, and the reasons for which it exits. */
#ifndef REGPIN_LIB_VM_FILTERS_H
#define REGPIN_LIB_VM_FILTERS_H

#include "types.h"

/*
 * Caller of these four holds the VM lock, or is the only thread that uses the VM.
 * vm_choose_filters() sets which filters @policy needs and the host has;
 * vm_build_filter() builds the MSR filter for @policy and the VMM; vm_set_msr_filter()
 * gives KVM the MSR filter and its reasons; vm_refilter_locked() gives KVM all filters of
 * the policy in force. They return 0 or -errno.
 */
void vm_choose_filters(struct regpin_vm *vm,
		       const struct regpin_policy *policy);
int vm_build_filter(struct regpin_vm *vm, const struct regpin_policy *policy,
		    struct msr_filter *out);
int vm_set_msr_filter(struct regpin_vm *vm);
int vm_refilter_locked(struct regpin_vm *vm);

/*
 * Set KVM's CR filter if the policy needs it, or clear it. They return 0 or -errno. Caller
 * of the functions with _locked holds the VM lock.
 */
int vm_set_cr_filter(struct regpin_vm *vm);
int vm_set_cr_filter_locked(struct regpin_vm *vm);
int vm_clear_cr_filter_locked(struct regpin_vm *vm);

#endif
