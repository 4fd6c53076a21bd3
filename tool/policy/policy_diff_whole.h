/* SPDX-License-Identifier: GPL-2.0-only */
/* Two policies compared: what is no rule on a register. */
#ifndef REGPIN_TOOL_POLICY_DIFF_WHOLE_H
#define REGPIN_TOOL_POLICY_DIFF_WHOLE_H

#include "policy_diff_list.h"

/* All that is no rule on a register. */
void diff_whole(struct policy_diff *diff, const struct regpin_policy *from,
		const struct regpin_policy *to);

#endif
