/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a policy's and a VMM's filter did not fit into KVM's ranges. */
#ifndef REGPIN_LIB_OVERFLOW_H
#define REGPIN_LIB_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct overflow_range - MSRs for which KVM had no range left
 * @base: the first
 * @nmsrs: how many
 * @flags: KVM_MSR_FILTER_READ and KVM_MSR_FILTER_WRITE
 * @vmm: the VMM's filter names them; else a rule or the policy's `request`
 */
struct overflow_range {
	uint32_t base, nmsrs;
	uint32_t flags;
	bool vmm;
};

/**
 * struct overflow - all of those, in the order in which they were tried
 * @nr: how many are in @list
 * @more: how many are not, which only a policy can bring about that has not
 *	passed the checks
 * @list: the first of them
 */
#define MAX_OVERFLOW	32u
struct overflow {
	uint32_t nr, more;
	struct overflow_range list[MAX_OVERFLOW];
};

/*
 * Says in a sentence which MSRs did not fit, and what to do. Ends in a NUL; where
 * @size is too small for all of them it says that there are more.
 */
void overflow_text(char *text, size_t size, const struct overflow *overflow);

#endif
