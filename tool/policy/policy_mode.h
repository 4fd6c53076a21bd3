/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mode of a policy: what its own `mode:` says, or what the operator puts in the
 * place of that one line. So the operator's `enforce` does not touch rules that
 * themselves have `action: report` or `mode: report`, and `report` covers all rules.
 */
#ifndef REGPIN_TOOL_POLICY_MODE_H
#define REGPIN_TOOL_POLICY_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/policy/policy.h"

enum policy_mode {
	MODE_POLICY,	/* the operator has given none: the policy's own */
	MODE_ENFORCE,
	MODE_REPORT,
	MODE_MAX
};

extern const char *const policy_mode_names[MODE_MAX];

/* The mode of that name, or MODE_MAX. */
enum policy_mode policy_mode_find(const char *name);

/* Can rules be violated, and does each of them only report that? */
bool policy_all_report(const struct regpin_policy *policy);

/**
 * struct policy_tally - what becomes of violations of a policy's rules, in numbers
 * @rules: all rules but those with `allow`, which can't be violated
 * @enforced: a violation is stopped
 * @detected: it is found afterwards
 * @report: it happens, and is an event
 */
struct policy_tally {
	unsigned int rules, enforced, detected, report;
};

struct policy_tally policy_tally(const struct regpin_policy *policy);

/* "9 rules: 6 enforced, 2 detected, 1 report only". Returns @buf. */
const char *policy_tally_text(char *buf, size_t size,
			      const struct regpin_policy *policy);

/*
 * What is effectively done in the operator's mode @mode by a policy whose own mode is
 * @own: MODE_ENFORCE, or MODE_REPORT if nothing that the guest does is stopped.
 */
enum policy_mode policy_effective(const struct regpin_policy *policy,
				  enum policy_mode own, enum policy_mode mode);

/*
 * "mode report", and where it comes from, if not from the policy alone: "mode report
 * by the operator (the policy says enforce)". Returns @buf.
 */
const char *policy_mode_text(char *buf, size_t size,
			     const struct regpin_policy *policy,
			     enum policy_mode own, enum policy_mode mode);

#endif
