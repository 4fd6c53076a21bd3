/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGPIN_PERFORM_H
#define REGPIN_PERFORM_H

#include "vm.h"

/*
 * What the register holds, and what it would after a write of @proposed: @access's
 * values, by which it is judged. *@old is as KVM has it, and 0 to begin with. Returns 0
 * or KVM's error, after which nothing is known of what it holds.
 */
int perform_preview(struct regpin_vcpu *vcpu, struct access *access,
		    uint64_t *old, uint64_t proposed);

/*
 * Does the guest's write what the guest itself could have done? Returns 0, -EINVAL for
 * a #GP as without regpin, or another error of KVM's.
 */
int perform_write(struct regpin_vcpu *vcpu, const struct access *access,
		  uint64_t value);

/* @access's old value, as the guest itself would have read it: -EINVAL where KVM refuses. */
int perform_read(const struct regpin_vcpu *vcpu, struct access *access);

#endif
