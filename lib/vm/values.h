/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values that a VM's first armed vCPU has settled, and what a vCPU was set up to. */
#ifndef REGPIN_LIB_VALUES_H
#define REGPIN_LIB_VALUES_H

#include "types.h"

/*
 * The vCPU's set-up is done (ACT_REMEMBER): what it holds is remembered, for `once`. If it
 * is the first one, that is what `uniform` asks of all others from now on.
 */
void values_settle(struct regpin_vcpu *vcpu);

/* Remembers what the vCPU holds, for itself, and for the others if it is the first one. */
void values_remember(struct regpin_vcpu *vcpu);

/*
 * The guest has written PAT. It may be settled after the set-up, once, if the kernel had
 * not touched it by then. What the guest makes of this chance is an event, as it need not
 * be the kernel's value.
 */
void values_settle_pat(struct regpin_vcpu *vcpu, uint64_t value);

/*
 * The values that all vCPUs must write, and what they must have, are open again. Caller
 * holds the VM's lock.
 */
void values_forget_locked(struct regpin_vm *vm);

#endif
