/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of `run` about the policy, once no check prevents the VMM's start. */
#ifndef REGPIN_TOOL_LAUNCH_NOTICES_H
#define REGPIN_TOOL_LAUNCH_NOTICES_H

#include "launch_state.h"

/*
 * Does the policy need an operator, to arm a VM or to answer for a held vCPU? @answered: the
 * agent answers after a time.
 */
bool launch_needs_operator(const struct regpin_policy *policy, bool answered);

/*
 * Prints the policy's warnings, a mode that replaces its own, and what will not be enforced or
 * can't be answered. A start that is refused prints only its reason, so this comes after the
 * checks.
 */
void launch_print_notices(struct launch *launch);

#endif
