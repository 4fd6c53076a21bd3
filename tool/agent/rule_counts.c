// SPDX-License-Identifier: GPL-2.0-only
/*
 * An event names a policy by its number and a rule by its position in that policy. In each
 * mode of a text the rules may have other positions, but the same rows in the text's table,
 * and counters are kept by row. While a policy with another text is being sent, its events
 * may come before it is in force: they are counted in the other half, which @now names
 * once that policy is in force, and which is cleared when another policy is sent.
 */
#include <string.h>
#include <sys/mman.h>

#include "ctl_proposal_state.h"
#include "launch_state.h"
#include "policies.h"
#include "rule_counts.h"

#define SIZE	(2 * sizeof(struct rule_count[POLICY_MAX_RULES]))

static void add_number(struct rule_counts *counts, uint32_t number)
{
	counts->numbers[counts->at++ % RULE_COUNTS_NUMBERS] = number;
}

static bool has_number(const struct rule_counts *counts, uint32_t number)
{
	for (unsigned int i = 0; number && i < RULE_COUNTS_NUMBERS; i++)
		if (counts->numbers[i] == number)
			return true;
	return false;
}

int rule_counts_begin(struct agent *agent)
{
	struct rule_counts *counts = &agent->rule_counts;
	void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	*counts = (struct rule_counts){ .halves = at };
	add_number(counts, agent->launch->policy.number);
	return 0;
}

void rule_counts_end(struct agent *agent)
{
	munmap(agent->rule_counts.halves, SIZE);
	agent->rule_counts.halves = NULL;
}

static void count(struct rule_count *count, const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_DETECTED)
		count->detected++;
	else if (event->action == REGPIN_REPORT || event->action == REGPIN_ALLOW)
		count->passed++;
	else
		count->stopped++;
	count->last = event->time;
}

void rule_counts_add(struct agent *agent, const struct regpin_event *event)
{
	struct rule_counts *counts = &agent->rule_counts;
	const struct regpin_policy *policy = policies_find(agent, event->policy);
	const struct ctl_proposal *proposal = agent->ctl.command.proposal;
	const struct rule_table *table = &agent->launch->table;
	unsigned int half = counts->now;
	int32_t row;

	if (!policy || event->rule >= policy->nr_rules)
		return;
	if (proposal && event->policy == counts->coming) {
		table = &proposal->table;
		half = !half;
	} else if (!has_number(counts, event->policy)) {
		return;
	}
	row = rule_table_find(table, &policy->rules[event->rule]);
	if (row >= 0 && row < POLICY_MAX_RULES)
		count(&counts->halves[half][row], event);
}

void rule_counts_announce(struct agent *agent, const struct ctl_proposal *proposal)
{
	struct rule_counts *counts = &agent->rule_counts;

	counts->coming = 0;
	if (strcmp(proposal->written.hash, agent->launch->written.hash) == 0) {
		add_number(counts, proposal->policy.number);
		return;
	}
	counts->coming = proposal->policy.number;
	memset(counts->halves[!counts->now], 0, sizeof(*counts->halves));
}

void rule_counts_switch(struct agent *agent, const struct ctl_proposal *proposal)
{
	struct rule_counts *counts = &agent->rule_counts;

	if (proposal->policy.number != counts->coming)
		return;
	counts->now = !counts->now;
	counts->coming = 0;
	memset(counts->numbers, 0, sizeof(counts->numbers));
	add_number(counts, proposal->policy.number);
}

const struct rule_count *rule_counts_of(const struct agent *agent, uint32_t row)
{
	return &agent->rule_counts.halves[agent->rule_counts.now][row];
}
