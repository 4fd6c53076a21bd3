/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INIT: what becomes of the vCPU's pins, and how it is known. */
#ifndef REGPIN_LIB_INIT_H
#define REGPIN_LIB_INIT_H

#include "types.h"

/* The vCPU has had an INIT. Returns true if that took its pins along. */
bool init_take_pins(struct regpin_vcpu *vcpu);

/* A look has found these values: has the vCPU had an INIT that KVM did not report? */
bool init_find_in_poll(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS],
		       uint64_t efer);

/* The same, by EFER's value @old when the guest is about to write it. */
void init_find_in_efer(struct regpin_vcpu *vcpu, uint64_t old);

#endif
