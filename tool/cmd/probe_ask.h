/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of `regpin probe` that finds out what this host enforces. */
#ifndef REGPIN_TOOL_PROBE_ASK_H
#define REGPIN_TOOL_PROBE_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/kvm/host.h"

#include "policy/policy_fit.h"

/* Whether a rule can be enforced, and if not, the reason. */
struct probe_answer {
	bool enforced;
	const char *why;
};

struct probe_answer probe_ask(const struct host *host, unsigned int kind,
			      unsigned int type);

/* Do rules of this type exist for this kind of register, and do they need enforcement? */
bool probe_possible(unsigned int kind, unsigned int type);

/* Names of the registers that VMLOAD loads, one for each call; NULL at the end. */
const char *probe_by_vmload(size_t *i);

/* How a rule that this host can't enforce is handled. */
enum fitted probe_fitted(const struct host *host,
			 const struct regpin_policy *policy,
			 const struct rule *rule);

#endif
