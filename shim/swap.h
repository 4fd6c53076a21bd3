/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The swap of the policy of all VMs of this process. */
#ifndef REGPIN_SHIM_SWAP_H
#define REGPIN_SHIM_SWAP_H

#include "vm_list.h"

/*
 * The time within which vCPUs must look at a change, in ms. Those of a stopped VMM never
 * look.
 */
#define LOOK_MS	4000

/*
 * Puts the policy in @orders' blob, which must have this @number, in force in all VMs, or
 * in none. Returns struct control_answer's @result; with -E2BIG, @answer gets the MSRs
 * that did not fit. Caller holds control_lock().
 */
int swap_policy(struct vm_list *list, const struct control *orders,
		uint32_t number, struct control_answer *answer);

/* For a child, which has none of its parent's VMs: forgets the policies. */
void swap_reset(void);

#endif
