/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether kicks reach a vCPU, as the program that sends the kicks found. */
#ifndef REGPIN_LIB_REACHED_H
#define REGPIN_LIB_REACHED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct reach - whether a vCPU can be made to leave KVM_RUN
 * @why: enum regpin_unreached: why it cannot
 * @rounds: number of checks in a row whose result was not @why
 * @vmm_mask: KVM_RUN has a signal mask of the VMM's, which lets regpin's signal through
 *
 * The caller's thread that checks the vCPU writes @why and @rounds; the thread that sets
 * the mask writes @vmm_mask. Any thread may read the atomic members.
 */
struct reach {
	_Atomic uint32_t why;
	uint32_t rounds;
	_Atomic bool vmm_mask;
};

#endif
