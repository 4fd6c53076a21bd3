/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that events may be of: the one in force, and those before it. */
#ifndef REGPIN_TOOL_POLICIES_H
#define REGPIN_TOOL_POLICIES_H

#include <stdint.h>

#include "handoff.h"

#include "agent_state.h"

/* The policy that an event's rule is of. */
const struct regpin_policy *policies_of(const struct agent *agent,
					const struct regpin_event *event);

/* The one that holds this vCPU; NULL if it is too long ago. */
const struct regpin_policy *policies_for(const struct agent *agent,
					 const struct vcpu_status *vcpu);

/* @policy, which command @number brought, came to be in force in some VMs only. */
void policies_keep(struct agent *agent, const struct regpin_policy *policy,
		   uint32_t number);

/* Sees whether the reader has reached what was not there yet when the policy changed. */
void policies_seen(struct agent *agent);

#endif
