/* SPDX-License-Identifier: GPL-2.0-only */
/* The effective mode of one rule, and its reason. All commands have it from here. Pure. */
#ifndef REGPIN_TOOL_EFFECTIVE_H
#define REGPIN_TOOL_EFFECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy_mode.h"

/* The handling of a violation of a rule; see "Effective mode" in the glossary. */
enum effective_mode {
	EFFECTIVE_ENFORCED,
	EFFECTIVE_DETECTED,
	EFFECTIVE_REPORTED,
	EFFECTIVE_LEFT_OUT,
	EFFECTIVE_MAX
};

/* The reason for an effective mode: the mode, the action or the host that decides. */
enum effective_by {
	BY_POLICY,	/* the policy's mode */
	BY_ACTION,	/* `action: report`, or a condition that only reports */
	BY_RULE,	/* the rule's own `mode: report` */
	BY_OPERATOR,	/* the operator's mode */
	BY_OPERATOR_RULE,	/* the operator's mode of this rule */
	BY_HOST,	/* this host can't enforce the rule */
	BY_MAX
};

struct effective {
	enum effective_mode mode;
	enum effective_by by;
};

/* "enforced", "left_out", ..; and "policy", "operator-rule", ..: words of JSON. */
extern const char *const effective_words[EFFECTIVE_MAX];
extern const char *const effective_by_words[BY_MAX];

/* "enforced", "left out", .. for people. */
const char *effective_name(enum effective_mode mode);

/*
 * The effective mode of @rule, which has been fitted to a host (RULE_DETECT), and was read in
 * the operator's mode @mode. @left_out: the host can neither enforce nor poll it. @own is the
 * policy's own mode.
 */
struct effective effective_of(const struct rule *rule, bool left_out,
			      enum policy_mode own, enum policy_mode mode);

/* Counts the rules of a fitted @policy, and @left_out rules that the fitting removed. */
struct policy_tally policy_tally(const struct regpin_policy *policy,
				 unsigned int left_out);

/* "9 rules: 6 enforced, 2 detected, 1 report only, 0 left out". Returns @buf. */
const char *policy_tally_text(char *buf, size_t size, const struct policy_tally *tally);

/*
 * The reason as text: "the operator's mode is report"; "" if there is nothing to explain,
 * because the rule is enforced as the policy says. @host is the host's reason, or NULL.
 * Returns @buf.
 */
const char *effective_why(char *buf, size_t size, struct effective effective,
			  const char *host);

#endif
