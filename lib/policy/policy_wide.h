/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be wrong with rules on a whole policy, and with those that open registers. */
#ifndef REGPIN_LIB_POLICY_WIDE_H
#define REGPIN_LIB_POLICY_WIDE_H

#include "check_name.h"

/*
 * A rule of the whole policy; and one that opens registers. The latter returns true if
 * what else there is to say would only confuse.
 */
void check_wide(struct check *check, const struct rule *rule);
bool check_allow(struct check *check);

#endif
