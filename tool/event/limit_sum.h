/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of events that get no line of their own. Pure. */
#ifndef REGPIN_TOOL_LIMIT_SUM_H
#define REGPIN_TOOL_LIMIT_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

/* Indices that a sum lists, if its rule is about several registers. */
#define SUM_INDICES	64u

/**
 * struct limit_sum - the sum of some events of one type, one rule and one VM
 * @event: the last event; its @bits are those of all events
 * @count: number of events; 0: the other members are not valid
 * @first: time of the first event
 * @many_vcpus: the events are of several vCPUs
 * @many_actions: the events had several verdicts
 * @by_index: @indices lists the MSRs of the events
 * @more_indices: there were more MSRs than @indices has room for
 * @nr_indices: number of @indices
 * @indices: MSRs, each once, in the order in which they came
 */
struct limit_sum {
	struct regpin_event event;
	uint64_t count;
	uint64_t first;
	bool many_vcpus, many_actions;
	bool by_index, more_indices;
	unsigned int nr_indices;
	uint32_t indices[SUM_INDICES];
};

/* Adds one event. @by_index: its rule is about several registers. */
void limit_sum_add(struct limit_sum *sum, const struct regpin_event *event,
		   bool by_index);

/* Adds @from to @to, and empties @from. */
void limit_sum_merge(struct limit_sum *to, struct limit_sum *from);

#endif
