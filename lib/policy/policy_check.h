/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of a whole policy. */
#ifndef REGPIN_LIB_POLICY_CHECK_H
#define REGPIN_LIB_POLICY_CHECK_H

#include "policy.h"

/*
 * Adds to @problems what is wrong with @policy: ranges that KVM can't filter, conditions
 * on registers that can't be replayed, actions that a rule can't have, rules on hot
 * registers (a warning), the same rule twice. The result does not depend on the host.
 * Sorts the rules by register. Returns the number of errors that it added.
 */
unsigned int policy_check(struct regpin_policy *policy,
			  struct problems *problems);

/*
 * Why a guest cannot ask for its pins by a write to MSR @index, as a constant text, or
 * NULL if it can.
 */
const char *request_fault(uint32_t index);

#endif
