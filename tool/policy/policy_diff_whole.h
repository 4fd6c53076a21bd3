/* SPDX-License-Identifier: GPL-2.0-only */
/* Between policy_diff.c and policy_diff_whole.c. */
#ifndef REGPIN_TOOL_POLICY_DIFF_WHOLE_H
#define REGPIN_TOOL_POLICY_DIFF_WHOLE_H

#include "policy_diff.h"

/* How much an effect stops: the more, the higher. */
unsigned int diff_level(uint8_t effect);

/* By two of these. */
enum diff_class diff_classify(unsigned int from, unsigned int to);

/* Adds @change, or joins it to one that it continues. */
void diff_add(struct policy_diff *diff, const struct policy_change *change);

/* All that is no rule on a register. */
void diff_whole(struct policy_diff *diff, const struct regpin_policy *from,
		const struct regpin_policy *to);

#endif
