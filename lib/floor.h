/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a vCPU must have that comes up beside armed ones.
 */
#ifndef REGPIN_LIB_FLOOR_H
#define REGPIN_LIB_FLOOR_H

#include "vm.h"

/* How far the first armed vCPU is with the VM's values; struct regpin_vm's @settled. */
enum { OPEN, SETTLING, SETTLED };

/* If the vCPU is the first one and is asked what it has, it tells. */
void floor_tell_first(struct regpin_vcpu *vcpu);

/* It had an INIT, which took @had along. If it was the first one, this stays known. */
void floor_lost(struct regpin_vcpu *vcpu, const struct protections *had);

/*
 * It is about to execute its first instruction after an INIT. What it will be measured
 * by is asked now: the first one may be gone by what it does.
 */
void floor_begins(struct regpin_vcpu *vcpu);

/* Does it come up beside armed ones, and has yet to arm? */
bool floor_late(struct regpin_vcpu *vcpu);

/*
 * It arms by what it is, @lstar, and not by what it does: does it have what is
 * required?
 */
void floor_check(struct regpin_vcpu *vcpu, uint64_t lstar);

#endif
