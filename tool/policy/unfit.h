/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a policy that a KVM can't enforce, and the text about them. */
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

/* A fit_report for policy_fit(). @context is a struct unfits. */
void unfits_add(void *context, enum fitted fitted, const struct rule *rule,
		const char *why);

/*
 * Called once for all rules with the same text, with the first of these rules: @text is
 * "'sticky' on CR0 is only polled, .."; @others is empty, or "; the same holds for .." with
 * the other rules.
 */
typedef void unfit_line(void *context, const struct unfit *first,
			const char *text, const char *others);

void unfits_print(const struct unfits *unfits,
		  const struct regpin_policy *policy, unfit_line *line,
		  void *context);

#endif
