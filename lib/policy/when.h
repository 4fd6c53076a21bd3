/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `when`: the rules of a policy that hold for a guest. Judge and filters get a policy of
 * these rules only.
 */
#ifndef REGPIN_LIB_WHEN_H
#define REGPIN_LIB_WHEN_H

#include "policy.h"

struct guest;

/* Does @when match this guest? Never if the guest's CPUID is not known. */
bool when_matches(const struct when *when, const struct guest *guest);

/* The conditions of @policy that hold: bit n stands for @whens[n]. */
uint64_t whens_match(const struct regpin_policy *policy,
		     const struct guest *guest);

/* Is @when, read from a blob, one that policies can have? */
bool when_valid(const struct when *when);

/*
 * Makes @to from the rules of @policy that hold; @hold is from whens_match(). @numbers,
 * with room for POLICY_MAX_RULES, becomes the number of each rule in @policy. @to has no
 * conditions, so it must not be passed to blob_seal().
 */
void policy_resolve(const struct regpin_policy *policy, uint64_t hold,
		    struct regpin_policy *to, uint16_t *numbers);

/* Are @a and @b equal, apart from the place in the text? */
bool when_same(const struct when *a, const struct when *b);

/* Is there no guest that matches both? */
bool when_apart(const struct when *a, const struct when *b);

#endif
