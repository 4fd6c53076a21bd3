/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule that a check looks at, and how a message names it and its bits. */
#ifndef REGPIN_LIB_CHECK_NAME_H
#define REGPIN_LIB_CHECK_NAME_H

#include "policy.h"

/* Most rules have no problem: a name is only made for those that have. */
#define rule_problem(check, warning, ...) \
	(check_name(check), \
	 problem_add((check)->problems, warning, (check)->rule->line, \
		     (check)->rule->column, __VA_ARGS__))

/**
 * struct check - the rule that is being looked at
 * @policy: its policy
 * @problems: where to complain
 * @rule: the rule
 * @type: its name
 * @subject: what it speaks of, for messages; only there within rule_problem()
 * @ranges: KVM ranges that the rules outside of all windows need so far
 */
struct check {
	const struct regpin_policy *policy;
	struct problems *problems;
	const struct rule *rule;
	const struct rule *rest;	/* the policy's default, or NULL */
	const char *type;
	char subject[48];
	unsigned int ranges;
};

#define MSR_TSC_DEADLINE	0x6e0u

/* Does @rule's range touch the @count MSRs from @index? */
bool rule_touches(const struct rule *rule, uint32_t index, uint32_t count);

/* From now on @rule is the one that is looked at. */
void check_begin(struct check *check, const struct rule *rule);

/* Writes down what it speaks of, as @check->subject. */
void check_name(struct check *check);

#define BITS_TEXT	384	/* room for bits_text() */

/* "bits WP, PG of CR0", "every bit of CR4 but TSD": all of @bits. Returns @to. */
const char *bits_text(char *to, size_t size, const struct rule *rule,
		      uint64_t bits);

#endif
