/* SPDX-License-Identifier: GPL-2.0-only */
/* For which guests a policy is explained. */
#ifndef REGPIN_TOOL_EXPLAIN_GUEST_H
#define REGPIN_TOOL_EXPLAIN_GUEST_H

#include "explain_report.h"
#include "policy/which_guest.h"

/* The rules of @policy that hold for @guest, as a policy. */
void explain_resolve(const struct regpin_policy *policy,
		     const struct asked_guest *asked, struct regpin_policy *to);

/* Which conditions of @policy hold for @guest. */
void report_guest(struct report *report, const struct regpin_policy *policy,
		  const struct asked_guest *asked);

#endif
