/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Problems of rules of a whole policy, and of rules that allow registers. */
#ifndef REGPIN_LIB_POLICY_WIDE_H
#define REGPIN_LIB_POLICY_WIDE_H

#include "check_name.h"

/*
 * Adds the problems of @rule, a rule of the whole policy; and those of @check->rule if it
 * is RULE_ALLOW. check_allow() returns true if further checks would only confuse.
 */
void check_wide(struct check *check, const struct rule *rule);
bool check_allow(struct check *check);

#endif
