/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The exits of KVM's CR filter. */
#ifndef REGPIN_LIB_CR_H
#define REGPIN_LIB_CR_H

#include "types.h"

/* One of the CR filter's exits. 1: answered, 0: the VMM's. */
int cr_exit(struct regpin_vcpu *vcpu);

#endif
