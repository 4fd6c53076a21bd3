// SPDX-License-Identifier: GPL-2.0-only
/* The policies that events may be of: the one in force, and those before it. */
#include <stdatomic.h>
#include <string.h>

#include "ctl_stage.h"
#include "launch_state.h"
#include "policies.h"

/* Could @policy have brought about @event? */
static bool explains(const struct regpin_policy *policy,
		     const struct regpin_event *event)
{
	const struct rule *rule;

	if (event->rule >= policy->nr_rules)
		return false;
	rule = &policy->rules[event->rule];
	return (rule_is_wide(rule) ? event->kind == REGPIN_MSR :
		rule_covers(rule, event->kind, event->index)) &&
	       !(event->bits & ~rule->mask) &&
	       (event->type != REGPIN_EVENT_VIOLATION ||
		event->action >= rule->action);
}

/* Is a vCPU held by that policy? */
static bool holds(const struct agent *agent, uint32_t number)
{
	const struct handoff *shared = agent->launch->shared;

	for (unsigned int i = 0; i < STATUS_VCPUS; i++)
		if (atomic_load(&shared->vcpus[i].flags) & STATUS_HELD &&
		    shared->vcpus[i].policy == number)
			return true;
	for (unsigned int i = 0; i < STATUS_VMS; i++)
		if (atomic_load(&shared->vms[i].flags) & STATUS_PRESENT &&
		    atomic_load(&shared->vms[i].policy) == number)
			return true;
	return false;
}

/*
 * Keeps a policy that some vCPU may yet be held by. There are few places: first go
 * those that hold nobody, then who came first.
 */
void policies_keep(struct agent *agent, const struct regpin_policy *policy,
		   uint32_t number)
{
	unsigned int to = 0;

	for (unsigned int i = 0; i < AGENT_OLDER; i++)
		if (agent->older[i].given && !holds(agent, agent->older[i].number))
			agent->older[i].given = false;
	while (to < AGENT_OLDER - 1 && agent->older[to].given)
		to++;
	for (unsigned int i = 0; i < to && agent->older[to].given; i++) {
		agent->older[i].given = agent->older[i + 1].given;
		agent->older[i].number = agent->older[i + 1].number;
		policy_copy(&agent->older[i].policy,
			    &agent->older[i + 1].policy);
	}
	agent->older[to].given = true;
	agent->older[to].number = number;
	policy_copy(&agent->older[to].policy, policy);
}

/* An event may come long after its policy: a vCPU that was held by it is answered. */
static const struct regpin_policy *by_number(const struct agent *agent,
					     const struct regpin_event *event)
{
	if ((uint8_t)agent->ctl.policy_number == event->policy)
		return &agent->launch->policy;
	for (unsigned int i = 0; i < AGENT_OLDER; i++)
		if (agent->older[i].given &&
		    (uint8_t)agent->older[i].number == event->policy)
			return &agent->older[i].policy;
	return &agent->launch->policy;
}

const struct regpin_policy *policies_for(const struct agent *agent,
					 const struct vcpu_status *vcpu)
{
	const struct ctl_job *job = &agent->ctl.job;

	if (vcpu->policy == agent->ctl.policy_number)
		return &agent->launch->policy;
	if (job->stage && vcpu->policy == job->number)
		return &job->stage->policy;
	for (unsigned int i = 0; i < AGENT_OLDER; i++)
		if (agent->older[i].given &&
		    agent->older[i].number == vcpu->policy)
			return &agent->older[i].policy;
	return NULL;
}

/*
 * While policies change, some vCPUs are judged by the old and some by the new one. An
 * event says by which; but who says it may have been taken over, so it must fit.
 */
const struct regpin_policy *policies_of(const struct agent *agent,
					const struct regpin_event *event)
{
	const struct regpin_policy *now = &agent->launch->policy, *other = NULL;
	const struct ctl_job *job = &agent->ctl.job;
	uint32_t number = 0;

	if (job->stage) {
		other = &job->stage->policy;
		number = job->number;
	} else if (agent->mixed) {
		other = &agent->before;
		number = agent->before_number;
	}
	if (!other || !explains(other, event))
		return by_number(agent, event);
	return (uint8_t)number == event->policy || !explains(now, event) ? other : now;
}

void policies_seen(struct agent *agent)
{
	struct ring *ring = &agent->launch->shared->ring;

	if (agent->mixed &&
	    (int64_t)(atomic_load(&ring->tail) - agent->mixed_until) >= 0)
		agent->mixed = false;
}
