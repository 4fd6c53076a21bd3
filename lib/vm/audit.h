/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a vCPU has already of what a new policy forbids. */
#ifndef REGPIN_LIB_AUDIT_H
#define REGPIN_LIB_AUDIT_H

#include "types.h"

/*
 * Reports what @vcpu has already of what its new policy forbids, once a policy. False if
 * that can't be seen now, in SMM or a nested guest.
 */
bool audit_policy(struct regpin_vcpu *vcpu, const struct regpin_policy *policy);

#endif
