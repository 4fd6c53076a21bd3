/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be wrong with rules on the same register. */
#ifndef REGPIN_LIB_POLICY_PAIRS_H
#define REGPIN_LIB_POLICY_PAIRS_H

#include "check_name.h"

/* Sorts @policy's rules, and looks at those that speak of the same register. */
void check_pairs(struct check *check, struct regpin_policy *policy);

#endif
