/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's reads and writes of MSRs, as regpin performs them. */
#ifndef REGPIN_PERFORM_H
#define REGPIN_PERFORM_H

#include "vm.h"

/*
 * Fills in @access's old value, and the value that the register would hold after a write
 * of @proposed; the write is judged by these two. *@old gets the value as KVM has it, and
 * must be 0 before. Returns 0, or KVM's error: the old value is not known then.
 */
int perform_preview(struct regpin_vcpu *vcpu, struct access *access,
		    uint64_t *old, uint64_t proposed);

/*
 * Performs the guest's write, if the guest's CPU would have allowed it. Returns 0, -EINVAL
 * for a #GP that the guest would get without regpin as well, or another error of KVM's.
 */
int perform_write(struct regpin_vcpu *vcpu, const struct access *access,
		  uint64_t value);

/* Reads @access's old value as the guest would have. -EINVAL: KVM would have refused. */
int perform_read(const struct regpin_vcpu *vcpu, struct access *access);

#endif
