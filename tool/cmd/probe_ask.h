/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of `regpin probe` that finds out what this host enforces. */
#ifndef REGPIN_TOOL_PROBE_ASK_H
#define REGPIN_TOOL_PROBE_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/kvm/host.h"

#include "policy/policy_fit.h"

/* One for each register file: what is asked about it holds for all types. */
struct probe_answer {
	bool enforced;
	const char *why;
};

struct probe_answer probe_ask(const struct host *host, unsigned int kind,
			      unsigned int type);

/* Are there rules of this type on this kind of register, with something to enforce? */
bool probe_possible(unsigned int kind, unsigned int type);

/* Registers that VMLOAD loads by name, one call after the other; NULL at the end. */
const char *probe_by_vmload(size_t *i);

/* What becomes of a rule that this host can't enforce. */
enum fitted probe_fitted(const struct host *host,
			 const struct regpin_policy *policy,
			 const struct rule *rule);

#endif
