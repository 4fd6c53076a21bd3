/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that a client of `regpin ctl` has proposed. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_STATE_H
#define REGPIN_TOOL_CTL_PROPOSAL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/policy.h"

#include "policy/policy_diff_list.h"
#include "policy/policy_mode.h"
#include "policy/policy_written.h"
#include "policy/rule_modes.h"
#include "policy/rule_table.h"
#include "policy/rule_where.h"
#include "policy/unfit.h"

/**
 * struct rule_target - a rule whose mode an operator changes
 * @place: where it is in the text of the policy in force
 * @mode: the mode; MODE_POLICY takes one back
 */
struct rule_target {
	struct rule_place place;
	enum policy_mode mode;
};

/**
 * struct ctl_proposal - a policy that a client may put in force
 * @written: the policy as its owner wrote it
 * @policy: the policy as it would be in force
 * @mode: the operator's mode with which it would be in force
 * @modes: the operator's modes of single rules
 * @target: the rule whose mode it changes, if @has_target
 * @target_rule: the first of its rules
 * @ended: how many modes of single rules end with it
 * @table: all rules of @written
 * @previous_mode: the effective mode of the policy in force
 * @rollback: it is the previous policy
 * @confirm_ms: it is taken back after this time unless it is confirmed; 0: never
 * @back: with @confirm_ms: the policy that then comes into force again
 * @back_mode: with @confirm_ms: its operator's mode
 * @back_modes: with @confirm_ms: its operator's modes of single rules
 * @policies: ctl->policies when it was compared with the policy in force
 * @problems: errors and warnings about its text
 * @init_why: why `init` can't be enforced on this host, or NULL
 * @init_known: @init_why also holds for the policy in force, which is the same text
 * @unfits: the rules that this host can't enforce, without those that are @known
 * @known: the number of rules that the policy in force, the same text, degrades for the same reason
 * @diff: its changes to the policy in force
 * @unchecked: why it is not known whether a VM has S3, which @policy does not accept; "" if
 *	it is known, or if the same holds for the policy in force
 * @unsuited: the property of the VM that @policy does not accept, as a sentence, or ""
 */
struct ctl_proposal {
	struct policy_written written;
	struct regpin_policy policy;
	enum policy_mode mode, previous_mode;
	bool rollback;
	uint32_t confirm_ms;
	struct policy_written back;
	enum policy_mode back_mode;
	struct rule_modes back_modes;
	struct rule_modes modes;
	bool has_target;
	struct rule_target target;
	struct rule target_rule;
	unsigned int ended;
	struct rule_table table;
	uint64_t policies;
	struct problems problems;
	const char *init_why;
	bool init_known;
	struct unfits unfits;
	uint32_t known;
	struct policy_diff diff;
	char unchecked[512];
	char unsuited[1024];
};

#endif
