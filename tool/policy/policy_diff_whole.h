/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparison of two policies: all but rules on registers. */
#ifndef REGPIN_TOOL_POLICY_DIFF_WHOLE_H
#define REGPIN_TOOL_POLICY_DIFF_WHOLE_H

#include "policy_diff_list.h"

/* Compares all but rules on registers. */
void diff_whole(struct policy_diff *diff, const struct regpin_policy *from,
		const struct regpin_policy *to);

#endif
