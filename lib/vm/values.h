/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The uniform values of a VM, and the values that a vCPU had after its set-up. */
#ifndef REGPIN_LIB_VALUES_H
#define REGPIN_LIB_VALUES_H

#include "types.h"

/*
 * The vCPU's set-up is finished (ACT_REMEMBER): remembers its values, for `once`. If it
 * is the first vCPU, settles them: `uniform` requires them of all others from now on.
 */
void values_settle(struct regpin_vcpu *vcpu);

/* Remembers the vCPU's values, also as the VM's if the vCPU has settled those. */
void values_remember(struct regpin_vcpu *vcpu);

/*
 * The guest has written PAT. If the kernel had not changed PAT by the end of its set-up,
 * this first later write settles it. An event reports the value, because an attacker may
 * have written it and not the kernel.
 */
void values_settle_pat(struct regpin_vcpu *vcpu, uint64_t value);

/* Forgets the uniform values and the floor: both are open again. Caller holds the VM lock. */
void values_forget_locked(struct regpin_vm *vm);

#endif
