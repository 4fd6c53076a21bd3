/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Problems of rules on the same register. */
#ifndef REGPIN_LIB_POLICY_PAIRS_H
#define REGPIN_LIB_POLICY_PAIRS_H

#include "check_name.h"

/* Sorts @policy's rules, and adds the problems of rules on the same register. */
void check_pairs(struct check *check, struct regpin_policy *policy);

#endif
