// SPDX-License-Identifier: GPL-2.0-only
/* The policies that the agent knows by their numbers. */
#include <stdatomic.h>
#include <string.h>

#include "ctl_proposal_state.h"
#include "launch_state.h"
#include "policies.h"
#include "policy/effective.h"

/* A place for a new name: that of a policy that has been forgotten, or the oldest one. */
static struct event_policy *place_for_name(struct agent *agent)
{
	struct event_policy *place = NULL;

	for (unsigned int i = 0; i < AGENT_NAMES; i++) {
		struct event_policy *name = &agent->policies.names[i];

		if (!policies_find(agent, name->number))
			return name;
		if (!place || name->number < place->number)
			place = name;
	}
	return place;
}

void policies_assign_number(struct agent *agent, struct regpin_policy *policy,
		     const struct policy_written *written, enum policy_mode mode,
		     unsigned int left_out)
{
	struct policy_tally tally = policy_tally(policy, left_out);
	const struct event_rules rules = {
		tally.enforced, tally.detected, tally.report, tally.left_out,
	};
	struct event_policy *name = place_for_name(agent);

	/* Blobs that no agent made have the number 0. */
	if (!++agent->policies.given)
		agent->policies.given = 1;
	policy->number = agent->policies.given;
	event_policy_init(name, policy->source, written->hash,
			  policy_mode_names[policy_effective(policy, written->own, mode)],
			  &rules);
	name->number = policy->number;
}

const struct event_policy *policies_name(const struct agent *agent, uint32_t number)
{
	for (unsigned int i = 0; number && i < AGENT_NAMES; i++)
		if (agent->policies.names[i].number == number)
			return &agent->policies.names[i];
	return NULL;
}

/* Is the policy in force in a VM, or is a vCPU held by it? */
static bool is_used(const struct agent *agent, uint32_t number)
{
	const struct handoff *shared = agent->launch->shared;

	for (unsigned int i = 0; i < STATUS_VCPUS; i++)
		if (atomic_load(&shared->vcpus[i].flags) & STATUS_HELD &&
		    shared->vcpus[i].held.policy == number)
			return true;
	for (unsigned int i = 0; i < STATUS_VMS; i++)
		if (atomic_load(&shared->vms[i].flags) & STATUS_PRESENT &&
		    atomic_load(&shared->vms[i].policy) == number)
			return true;
	return false;
}

/*
 * A free place; otherwise that of the oldest policy that is not in use, or of the oldest one
 * if all are in use.
 */
static struct regpin_policy *place_for_one(struct agent *agent)
{
	struct regpin_policy *place = NULL;
	bool place_used = true;

	for (unsigned int i = 0; i < AGENT_POLICIES; i++) {
		struct regpin_policy *policy = &agent->policies.list[i];
		bool used = policy->number && is_used(agent, policy->number);

		if (!place || (place_used && !used) ||
		    (place_used == used && policy->number < place->number)) {
			place = policy;
			place_used = used;
		}
	}
	return place;
}

void policies_keep(struct agent *agent, const struct regpin_policy *policy)
{
	policy_copy(place_for_one(agent), policy);
}

const struct regpin_policy *policies_find(const struct agent *agent,
					  uint32_t number)
{
	const struct ctl_proposal *proposal = agent->ctl.command.proposal;

	if (!number)
		return NULL;
	if (agent->launch->policy.number == number)
		return &agent->launch->policy;
	/* It is being sent, and some vCPUs may be judged by it already. */
	if (proposal && proposal->policy.number == number)
		return &proposal->policy;
	for (unsigned int i = 0; i < AGENT_POLICIES; i++)
		if (agent->policies.list[i].number == number)
			return &agent->policies.list[i];
	return NULL;
}
