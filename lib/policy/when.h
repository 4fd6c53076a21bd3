/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `when`: which rules of a policy hold for a guest. Judge and filters are given a
 * policy of those only.
 */
#ifndef REGPIN_LIB_WHEN_H
#define REGPIN_LIB_WHEN_H

#include "policy.h"

struct guest;

/* Does it hold for this guest? For one whose CPUID is not known nothing does. */
bool when_holds(const struct when *when, const struct guest *guest);

/* Those of @policy's conditions that hold, one bit each. */
uint64_t whens_hold(const struct regpin_policy *policy,
		    const struct guest *guest);

/* For the blob's reader. */
bool when_valid(const struct when *when);

/*
 * Makes @to of the rules of @policy that hold, by whens_hold(); @numbers says which
 * ones these are. @to can't be sealed.
 */
void policy_resolve(const struct regpin_policy *policy, uint64_t hold,
		    struct regpin_policy *to, uint16_t *numbers);

/* Does @when say the same, wherever it was written? */
bool when_same(const struct when *a, const struct when *b);

/* Is there no guest for which both hold? */
bool when_apart(const struct when *a, const struct when *b);

#endif
