/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between policy_check.c, policy_bits.c, policy_wide.c and policy_pairs.c. */
#ifndef REGPIN_POLICY_CHECK_H
#define REGPIN_POLICY_CHECK_H

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

/* policy_bits.c: true if what else there is to say would only confuse. */
bool check_control_register(struct check *check);
bool check_require(struct check *check);
bool check_nested(struct check *check);
bool check_hot_bits(struct check *check);

/*
 * policy_wide.c: a rule of the whole policy; and one that opens registers. The latter
 * returns true if what else there is to say would only confuse.
 */
void check_wide(struct check *check, const struct rule *rule);
bool check_allow(struct check *check);

/* Sorts @policy's rules, and looks at those that speak of the same register. */
void check_pairs(struct check *check, struct regpin_policy *policy);

#endif
