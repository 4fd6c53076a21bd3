/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of a policy's rules. */
#ifndef REGPIN_LIB_POLICY_SORT_H
#define REGPIN_LIB_POLICY_SORT_H

#include "policy.h"

/*
 * Sorts the rules by register, so that the rules on one register are found quickly. A
 * caller that changes rules in another way than by policy_add() must call it again.
 * Rules that are in this order already are not moved.
 */
void policy_sort(struct regpin_policy *policy);

#endif
