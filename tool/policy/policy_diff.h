/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The accesses that one policy stops and another does not. The comparison is of the effects
 * on the bits of registers, not of the texts of rules. Pure.
 */
#ifndef REGPIN_TOOL_POLICY_DIFF_H
#define REGPIN_TOOL_POLICY_DIFF_H

#include "lib/policy/policy.h"

#include "policy_diff_list.h"

/*
 * Compares two policies. The caller has passed both to policy_check(), and to policy_fit() if
 * the comparison is for a host. @diff is overwritten. Returns 0 or -ENOMEM; the caller frees
 * @diff in either case.
 */
int policy_diff(const struct regpin_policy *from,
		const struct regpin_policy *to, struct policy_diff *diff);

#endif
