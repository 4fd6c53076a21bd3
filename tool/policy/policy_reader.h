/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: the policy that is being read. */
#ifndef REGPIN_TOOL_POLICY_READER_H
#define REGPIN_TOOL_POLICY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/policy/policy.h"

#include "base/words.h"
#include "policy_mode.h"
#include "yaml_tree.h"

/**
 * struct reader - the policy that is being read
 * @policy: where the rules go
 * @problems: where to complain
 * @action: default action
 * @mode: what stands in the place of the policy's own `mode:`, or MODE_POLICY
 * @own: what that one says
 * @report: `mode: report` for the whole policy
 * @odd_arming: which arming was meant is not known, and that is told
 * @reaction_said: the policy has a `detect` with a reaction of its own
 * @full: the policy has no room left, and that is told
 */
struct reader {
	struct regpin_policy *policy;
	struct problems *problems;
	uint8_t action;
	enum policy_mode mode, own;
	bool report, odd_arming, reaction_said, full;
};

/* The values of the keys `action` and `mode`; negative if told as wrong. */
int action_read(const struct reader *reader, const struct yaml_node *node);
int mode_read(const struct reader *reader, const struct yaml_node *node);

/*
 * Tells every key of @map that is not one of @words. @where is "in a rule",
 * @elsewhere says where the words that are WORD_ELSEWHERE belong. Returns false
 * if there was any.
 */
bool keys_check(const struct reader *reader, const struct yaml_node *map,
		const struct word *words, size_t nr, const char *where,
		const char *elsewhere);

#endif
