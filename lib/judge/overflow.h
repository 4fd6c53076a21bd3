/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a policy's and a VMM's filter that did not fit into KVM's ranges. */
#ifndef REGPIN_LIB_OVERFLOW_H
#define REGPIN_LIB_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct overflow_range - MSRs for which KVM had no range left
 * @base: the first MSR
 * @nmsrs: number of MSRs
 * @flags: KVM_MSR_FILTER_READ, KVM_MSR_FILTER_WRITE or both
 * @vmm: the VMM's filter names them; otherwise a rule or the policy's `request`
 */
struct overflow_range {
	uint32_t base, nmsrs;
	uint32_t flags;
	bool vmm;
};

#define MAX_OVERFLOW	32u

/**
 * struct overflow - all ranges that did not fit, in the order in which they were tried
 * @nr: number of ranges in @list
 * @more: number of ranges that are not in @list; 0 for a policy that has passed
 *	policy_check()
 * @list: the first ranges
 */
struct overflow {
	uint32_t nr, more;
	struct overflow_range list[MAX_OVERFLOW];
};

/*
 * Writes a sentence to @text, of @size bytes, that names the MSRs that did not fit, and
 * what to do. It is always NUL-terminated. If @size is too small for all of the MSRs, the
 * sentence ends with the number of the others.
 */
void overflow_text(char *text, size_t size, const struct overflow *overflow);

#endif
