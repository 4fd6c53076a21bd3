/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes on after a trap in code that is not ours, and the use of such code. */
#ifndef LANDING_H
#define LANDING_H

#include "attack.h"

/*
 * A trap or #GP at an instruction that has no entry in the exception table: where
 * it happens, what follows it, and where to go then. One at a time, on one CPU.
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
