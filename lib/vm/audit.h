/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares a vCPU with a new policy. */
#ifndef REGPIN_LIB_AUDIT_H
#define REGPIN_LIB_AUDIT_H

#include "types.h"

/*
 * Reports each value that @vcpu already has and that its new policy forbids; once for
 * each policy. Returns false if the registers cannot be read now, in SMM or in a nested
 * guest.
 */
bool audit_policy(struct regpin_vcpu *vcpu, const struct regpin_policy *policy);

#endif
