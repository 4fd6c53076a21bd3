/* SPDX-License-Identifier: GPL-2.0-only */
/* What is explained, and of which registers. */
#ifndef REGPIN_TOOL_EXPLAIN_SUBJECT_H
#define REGPIN_TOOL_EXPLAIN_SUBJECT_H

#include <stdbool.h>

#include "lib/judge/cr_filter.h"
#include "lib/judge/msr_filter.h"
#include "lib/kvm/host.h"

#define EXPLAIN_TEXT	4096	/* room for a sentence */

/**
 * struct explain - a policy and what KVM is given for it
 * @policy: fit for @host
 * @host: where it is to be enforced
 * @filter: KVM_X86_SET_MSR_FILTER
 * @crs: KVM_X86_SET_CR_FILTER; all 0 if there is none
 */
struct explain {
	const struct regpin_policy *policy;
	const struct host *host;
	struct msr_filter filter;
	struct kvm_x86_cr_filter crs;
};

/* What a vCPU is in, as far as it matters to what it may do. */
enum phase {
	PHASE_UNARMED,	/* and no other vCPU is armed */
	PHASE_BESIDE,	/* unarmed, but others are, and set up */
	PHASE_FIRST,	/* the first one that is armed, its syscall set-up not done */
	PHASE_SETUP,	/* the same of a later one */
	PHASE_DONE,
	PHASE_MAX
};

static inline bool phase_is_armed(enum phase phase)
{
	return phase != PHASE_UNARMED && phase != PHASE_BESIDE;
}

/* Registers with consecutive indices of which the policy says the same. */
struct subject {
	unsigned int kind;
	uint32_t index;
	uint32_t count;
};

#endif
