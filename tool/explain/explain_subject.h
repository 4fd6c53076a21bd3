/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy and the registers that are explained. */
#ifndef REGPIN_TOOL_EXPLAIN_SUBJECT_H
#define REGPIN_TOOL_EXPLAIN_SUBJECT_H

#include <stdbool.h>

#include "lib/judge/cr_filter.h"
#include "lib/judge/msr_filter.h"
#include "lib/kvm/host.h"

#define EXPLAIN_TEXT	4096	/* room for a sentence */

/**
 * struct explain - a policy, and the filters that KVM gets for it
 * @policy: the policy, fitted to @host
 * @host: the host that is to enforce it
 * @filter: for KVM_X86_SET_MSR_FILTER
 * @crs: for KVM_X86_SET_CR_FILTER; all 0 if there is none
 */
struct explain {
	const struct regpin_policy *policy;
	const struct host *host;
	struct msr_filter filter;
	struct kvm_x86_cr_filter crs;
};

/* The phases of a vCPU in which different writes may be allowed. */
enum phase {
	PHASE_UNARMED,	/* unarmed, like all other vCPUs */
	PHASE_BESIDE,	/* unarmed, but other vCPUs are armed and set up */
	PHASE_FIRST,	/* the first armed vCPU, before its syscall set-up is done */
	PHASE_SETUP,	/* a later armed vCPU, before its syscall set-up is done */
	PHASE_DONE,
	PHASE_MAX
};

static inline bool phase_is_armed(enum phase phase)
{
	return phase != PHASE_UNARMED && phase != PHASE_BESIDE;
}

/* Registers with consecutive indices that a policy treats alike. */
struct subject {
	unsigned int kind;
	uint32_t index;
	uint32_t count;
};

#endif
