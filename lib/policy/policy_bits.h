/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Problems of rules on bits. */
#ifndef REGPIN_LIB_POLICY_BITS_H
#define REGPIN_LIB_POLICY_BITS_H

#include "check_name.h"

/* Each adds problems of @check->rule. Returns true if further checks would only confuse. */
bool check_control_register(struct check *check);
bool check_require(struct check *check);
bool check_nested(struct check *check);
bool check_hot_bits(struct check *check);

#endif
