/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a policy that a KVM can't enforce, and what is printed of them. */
#ifndef REGPIN_TOOL_UNFIT_H
#define REGPIN_TOOL_UNFIT_H

#include "policy_fit.h"

struct unfit {
	struct rule rule;
	const char *why;
	enum fitted fitted;
};

struct unfits {
	uint32_t nr;
	struct unfit list[POLICY_MAX_RULES];
};

/* A fit_tell for policy_fit(): @context is a struct unfits. */
void unfits_add(void *context, enum fitted fitted, const struct rule *rule,
		const char *why);

/*
 * Called for the first one of the rules of which the same is true: @text is "'sticky' on
 * CR0 is only monitored, ..."; @others is empty, or "; the same holds for ..." with all
 * the others.
 */
typedef void unfit_line(void *context, const struct unfit *first,
			const char *text, const char *others);

void unfits_print(const struct unfits *unfits,
		  const struct regpin_policy *policy, unfit_line *line,
		  void *context);

#endif
