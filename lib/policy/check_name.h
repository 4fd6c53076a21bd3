/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule that is being checked, and how a message names it and its bits. */
#ifndef REGPIN_LIB_CHECK_NAME_H
#define REGPIN_LIB_CHECK_NAME_H

#include "policy.h"

/* Adds a problem. It makes the rule's name first, because most rules never need one. */
#define rule_problem(check, warning, ...) \
	(check_name(check), \
	 problem_add((check)->problems, warning, (check)->rule->line, \
		     (check)->rule->column, __VA_ARGS__))

/**
 * struct check - the rule that is being checked
 * @policy: its policy; borrowed
 * @problems: the list to which problems are added; borrowed
 * @rule: the rule, one of @policy
 * @default_rule: the policy's default, or NULL
 * @type: the name of @rule's type, a constant string
 * @subject: the name of its registers, for messages; only valid within rule_problem()
 * @ranges: number of KVM ranges that rules outside of all windows need so far
 */
struct check {
	const struct regpin_policy *policy;
	struct problems *problems;
	const struct rule *rule;
	const struct rule *default_rule;
	const char *type;
	char subject[48];
	unsigned int ranges;
};

#define MSR_TSC_DEADLINE	0x6e0u

/* Is one of the @count MSRs from @index on an MSR of @rule? */
bool rule_touches(const struct rule *rule, uint32_t index, uint32_t count);

/* Makes @rule the one that is being checked. */
void check_begin(struct check *check, const struct rule *rule);

/* Writes the name of the rule's registers to @check->subject. */
void check_name(struct check *check);

#define BITS_TEXT	384	/* room for bits_text() */

/*
 * Writes the names of @bits, as "bits WP, PG of CR0" or "every bit of CR4 but TSD", to
 * @to, which has room for @size bytes. Returns @to.
 */
const char *bits_text(char *to, size_t size, const struct rule *rule,
		      uint64_t bits);

#endif
