/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be wrong with a policy. */
#ifndef REGPIN_LIB_POLICY_CHECK_H
#define REGPIN_LIB_POLICY_CHECK_H

#include "policy.h"

/*
 * What no single rule shows: ranges that KVM can't filter, conditions on
 * registers that can't be replayed, actions that a rule can't have, rules on
 * hot registers (a warning), the same rule twice. Independent of the host.
 * Sorts the rules by register. Returns the number of errors.
 */
unsigned int policy_check(struct regpin_policy *policy,
			  struct problems *problems);

/*
 * What speaks against MSR @index as the one by which guests ask to be armed, or
 * NULL. A constant text.
 */
const char *request_fault(uint32_t index);

#endif
