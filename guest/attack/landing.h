/* SPDX-License-Identifier: GPL-2.0-only */
/* Continuing after a trap in the kernel's own code, and using such code. */
#ifndef LANDING_H
#define LANDING_H

#include "attack.h"

/*
 * A trap or #GP that is expected at an instruction without an entry in the exception
 * table: its address, the address after it, and where to continue. One at a time, on one
 * CPU.
 */
struct landing {
	unsigned long at, after, resume;
	bool fault;
};

extern struct landing landing;
int landing_begin(void);
void landing_end(void);

void attack_rop(const struct attack *attack, struct attempt *a);

#endif
