/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policies that the agent knows by their numbers: the one in force, the one that is on
 * its way, and some of those that were replaced. The VMM's processes name a policy by its
 * number alone, in events and in what they show; one that was taken over may name any.
 */
#ifndef REGPIN_TOOL_POLICIES_H
#define REGPIN_TOOL_POLICIES_H

#include <stdint.h>

#include "handoff.h"

#include "agent_state.h"

/* Gives @policy, which is about to be handed out, the next number. */
void policies_assign_number(struct agent *agent, struct regpin_policy *policy);

/*
 * Keeps a copy of @policy, which was replaced, or was in force in some VMs or for a moment
 * only. If no place is free, it takes that of one that no VM and no held vCPU has.
 */
void policies_keep(struct agent *agent, const struct regpin_policy *policy);

/* The policy of this number; NULL: there was none, or it was forgotten. */
const struct regpin_policy *policies_find(const struct agent *agent,
					  uint32_t number);

#endif
