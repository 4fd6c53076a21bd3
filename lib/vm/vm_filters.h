/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What KVM is given for a VM: filters, and reasons for exits. */
#ifndef REGPIN_LIB_VM_FILTERS_H
#define REGPIN_LIB_VM_FILTERS_H

#include "types.h"

/*
 * Under the lock: what of @policy and of the host come together; the
 * filter for @policy and for what the VMM has asked for; KVM is given the reasons and
 * the filter; and all its filters follow the policy. 0 or -errno.
 */
void vm_choose_filters(struct regpin_vm *vm,
		       const struct regpin_policy *policy);
int vm_build_filter(struct regpin_vm *vm, const struct regpin_policy *policy,
		    struct msr_filter *out);
int vm_set_msr_filter(struct regpin_vm *vm);
int vm_refilter_locked(struct regpin_vm *vm);

/*
 * Puts KVM's CR filter in place, if the policy needs it; takes it away. 0 or -errno.
 * The latter two are for who has the lock.
 */
int vm_set_cr_filter(struct regpin_vm *vm);
int vm_set_cr_filter_locked(struct regpin_vm *vm);
int vm_clear_cr_filter_locked(struct regpin_vm *vm);

#endif
