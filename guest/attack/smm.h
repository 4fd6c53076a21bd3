/* SPDX-License-Identifier: GPL-2.0-only */
/* An SMI that a CPU sends to itself. */
#ifndef SMM_H
#define SMM_H

#include "attack.h"

void attack_smm(const struct attack *attack, struct attempt *a);

#endif
