/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one policy stops and another does not: by what happens to a register's
 * bits, not by how the rules are written. Pure.
 */
#ifndef REGPIN_TOOL_POLICY_DIFF_H
#define REGPIN_TOOL_POLICY_DIFF_H

#include "lib/policy/policy.h"

#include "policy_diff_list.h"

/*
 * Compares two policies that went through policy_check() and, if what the host
 * can't enforce is to count, through policy_fit(). Whatever was in @diff is
 * overwritten. Returns 0 or -ENOMEM; @diff is to be freed in either case.
 */
int policy_diff(const struct regpin_policy *from,
		const struct regpin_policy *to, struct policy_diff *diff);

#endif
