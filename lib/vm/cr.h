/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exits of KVM's CR filter. */
#ifndef REGPIN_LIB_CR_H
#define REGPIN_LIB_CR_H

#include "types.h"

/* Handles an exit of the CR filter. Returns 1 if it was answered, 0 if it is the VMM's. */
int cr_exit(struct regpin_vcpu *vcpu);

#endif
