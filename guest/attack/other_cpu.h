/* SPDX-License-Identifier: GPL-2.0-only */
/* INIT and start-up IPI to CPU 1. */
#ifndef OTHER_CPU_H
#define OTHER_CPU_H

#include "attack.h"

void attack_other_cpu(const struct attack *attack, struct attempt *a);

#endif
