/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The INIT of a vCPU: how it is detected, and its effect on the pins. */
#ifndef REGPIN_LIB_INIT_H
#define REGPIN_LIB_INIT_H

#include "types.h"

/* The vCPU has had an INIT. Returns true if it was armed, so that its pins are gone. */
bool init_take_pins(struct regpin_vcpu *vcpu);

/*
 * A poll has read these values. If the vCPU has had an INIT that KVM did not report,
 * handles it and returns true.
 */
bool init_find_in_poll(struct regpin_vcpu *vcpu, const uint64_t now[NR_CRS],
		       uint64_t efer);

/* The same, when the guest is about to write EFER, whose value is @old. */
void init_find_in_efer(struct regpin_vcpu *vcpu, uint64_t old);

#endif
