/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts code below 1 MiB, with page tables that map it to itself. */
#ifndef LOW_CODE_H
#define LOW_CODE_H

#include <linux/types.h>
#include "low.h"

/* Returns NULL if there is no memory. */
struct low_params *low_prepare(void);

/* The address of @label of entry.S in the copy below 1 MiB. */
unsigned long low_address(const u8 *label);

#endif
