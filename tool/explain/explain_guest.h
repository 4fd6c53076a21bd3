/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest for which a policy is explained. */
#ifndef REGPIN_TOOL_EXPLAIN_GUEST_H
#define REGPIN_TOOL_EXPLAIN_GUEST_H

#include "explain_report.h"
#include "policy/which_guest.h"

/* Copies @policy to @to, with only the rules that hold for the guest of --guest. */
void explain_resolve(const struct regpin_policy *policy,
		     const struct asked_guest *asked, struct regpin_policy *to);

/* Reports which conditions of @policy hold for the guest. */
void report_guest(struct report *report, const struct regpin_policy *policy,
		  const struct asked_guest *asked);

#endif
