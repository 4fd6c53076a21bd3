/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policies that the agent knows by their numbers: the one in force, the one that is
 * being sent, and some of those that were replaced. The VMM's processes name a policy only
 * by its number, in events and in their status; a compromised one may name any.
 */
#ifndef REGPIN_TOOL_POLICIES_H
#define REGPIN_TOOL_POLICIES_H

#include <stdint.h>

#include "handoff.h"

#include "agent_state.h"
#include "policy/policy_written.h"

/*
 * Gives @policy, which is about to be handed out, the next number. @written is its text,
 * @mode the operator's mode, and @left_out the number of rules that this host leaves out, for
 * the lines that name it.
 */
void policies_assign_number(struct agent *agent, struct regpin_policy *policy,
		     const struct policy_written *written, enum policy_mode mode,
		     unsigned int left_out);

/* The keys by which lines name policy @number; NULL: there was none, or it was forgotten. */
const struct event_policy *policies_name(const struct agent *agent, uint32_t number);

/*
 * Keeps a copy of @policy, which was replaced, or was in force in some VMs only, or only for
 * a moment. If no place is free, it replaces one that no VM and no held vCPU uses.
 */
void policies_keep(struct agent *agent, const struct regpin_policy *policy);

/* The policy of this number; NULL: there was none, or it is not kept any more. */
const struct regpin_policy *policies_find(const struct agent *agent,
					  uint32_t number);

#endif
