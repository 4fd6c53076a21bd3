/* SPDX-License-Identifier: GPL-2.0-only */
/* Clears CR0.PG. */
#ifndef UNPAGED_H
#define UNPAGED_H

#include "attack.h"

void attack_unpaged(const struct attack *attack, struct attempt *a);

#endif
