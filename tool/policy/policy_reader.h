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
#include "rule_modes.h"
#include "yaml_tree.h"

/**
 * struct reader - the policy that is being read
 * @policy: the policy that the rules are added to
 * @problems: the list of errors and warnings
 * @action: default action
 * @mode: the mode that replaces the policy's own `mode:`, or MODE_POLICY
 * @own: the policy's own mode
 * @modes: the operator's modes of single rules, or NULL
 * @report: `mode: report` for the whole policy
 * @arming_unknown: the value of `arming` is not valid, which has been reported
 * @has_reaction: the policy has a `detect` with a reaction of its own
 * @full: the policy has no room for more rules, which has been reported
 */
struct reader {
	struct regpin_policy *policy;
	struct problems *problems;
	uint8_t action;
	enum policy_mode mode, own;
	const struct rule_modes *modes;
	bool report, arming_unknown, has_reaction, full;
};

/* The values of the keys `action` and `mode`; negative if wrong, which is reported. */
int action_read(const struct reader *reader, const struct yaml_node *node);
int mode_read(const struct reader *reader, const struct yaml_node *node);

/*
 * Applies the modes to @rule, which is written at @key: if it is to report only, its action
 * becomes REGPIN_REPORT. Its flags note the reason. Returns true if a mode caused that.
 */
bool rule_apply_mode(const struct reader *reader, const struct yaml_node *key,
		     struct rule *rule);

/*
 * Reports each key of @map that is not one of @words. @where is "in a rule"; @elsewhere is the
 * place where the words with WORD_ELSEWHERE belong. Returns false if there was one.
 */
bool keys_check(const struct reader *reader, const struct yaml_node *map,
		const struct word *words, size_t nr, const char *where,
		const char *elsewhere);

#endif
