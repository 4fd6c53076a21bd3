/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be wrong with rules on bits. */
#ifndef REGPIN_LIB_POLICY_BITS_H
#define REGPIN_LIB_POLICY_BITS_H

#include "check_name.h"

/* Each returns true if what else there is to say would only confuse. */
bool check_control_register(struct check *check);
bool check_require(struct check *check);
bool check_nested(struct check *check);
bool check_hot_bits(struct check *check);

#endif
