/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exits for MSRs. */
#ifndef REGPIN_LIB_MSR_H
#define REGPIN_LIB_MSR_H

#include "types.h"

/* Handles an exit for an MSR. Returns 1 if it was answered, 0 if it is the VMM's. */
int msr_exit(struct regpin_vcpu *vcpu);

#endif
