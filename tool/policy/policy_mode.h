/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mode of a policy: its own `mode:`, or the operator's mode, which replaces that one
 * line. So the operator's `enforce` does not change rules with `action: report` or `mode:
 * report` of their own, and the operator's `report` covers all rules.
 */
#ifndef REGPIN_TOOL_POLICY_MODE_H
#define REGPIN_TOOL_POLICY_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/policy/policy.h"

enum policy_mode {
	MODE_POLICY,	/* the operator has set no mode: the policy's own */
	MODE_ENFORCE,
	MODE_REPORT,
	MODE_MAX
};

extern const char *const policy_mode_names[MODE_MAX];

/* The mode of that name, or MODE_MAX. */
enum policy_mode policy_mode_find(const char *name);

/* Does the policy have rules that can be violated, and do all of them only report that? */
bool policy_all_report(const struct regpin_policy *policy);

/**
 * struct policy_tally - numbers of rules by how their violations are handled
 * @rules: all rules but those with `allow`, which can't be violated
 * @enforced: rules whose violations are stopped
 * @detected: rules whose violations are found afterwards
 * @report: rules whose violations are let pass and reported
 * @left_out: rules that this host can neither enforce nor poll
 */
struct policy_tally {
	unsigned int rules, enforced, detected, report, left_out;
};

/*
 * The effective mode of a policy whose own mode is @own, in the operator's mode @mode:
 * MODE_ENFORCE, or MODE_REPORT if the policy stops no access of the guest.
 */
enum policy_mode policy_effective(const struct regpin_policy *policy,
				  enum policy_mode own, enum policy_mode mode);

/*
 * "mode report", and its origin, if that is not the policy alone: "mode report by the
 * operator (the policy says enforce)". Returns @buf.
 */
const char *policy_mode_text(char *buf, size_t size,
			     const struct regpin_policy *policy,
			     enum policy_mode own, enum policy_mode mode);

#endif
