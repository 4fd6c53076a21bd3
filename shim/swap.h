/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another policy for all VMs of this process. */
#ifndef REGPIN_SHIM_SWAP_H
#define REGPIN_SHIM_SWAP_H

#include "vm_list.h"

/* How long vCPUs may take to look at a change; a VMM that is stopped never looks. */
#define LOOK_MS	4000

/*
 * Puts the policy in @orders' blob, which must have this @number, in force in all VMs, or
 * in none. Returns struct control_answer's result; @answer gets what did not fit.
 */
int swap_policy(struct vm_list *list, const struct control *orders,
		uint32_t number, struct control_answer *answer);

/* In a child, which has none of its parent's VMs: their policies stay as they are. */
void swap_reset(void);

#endif
