/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether kicks reach a vCPU, as the program found out that sends them. */
#ifndef REGPIN_LIB_REACHED_H
#define REGPIN_LIB_REACHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct reach - can a vCPU, or all of a VM, be made to leave KVM_RUN?
 * @why: enum regpin_unreached
 * @rounds: in how many checks in a row the answer was another than @why
 * @vmm_mask: KVM_RUN has a signal mask of the VMM's, which lets regpin's signal in
 *
 * Written by the caller's thread that checks it, but for @vmm_mask; any thread reads @why.
 */
struct reach {
	_Atomic uint32_t why;
	uint32_t rounds;
	_Atomic bool vmm_mask;
};

#endif
