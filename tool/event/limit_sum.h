/* SPDX-License-Identifier: GPL-2.0-only */
/* What events that got no line of their own come to. Pure. */
#ifndef REGPIN_TOOL_LIMIT_SUM_H
#define REGPIN_TOOL_LIMIT_SUM_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

/* Indices that a sum lists, of rules that are not about one register. */
#define SUM_INDICES	64u

/**
 * struct limit_sum - the sum of some events of one type, one rule and one VM
 * @event: the last one of them; its @bits are those of all
 * @count: how many they are, 0: none, and the rest means nothing
 * @first: the first one's time, as in @event
 * @many_vcpus: they are of several vCPUs
 * @many_actions: they had several verdicts
 * @by_index: @indices says which MSRs they were about
 * @more_indices: there were more than @indices has room for
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

/* Adds one event. @by_index: its rule is not about one register. */
void sum_add(struct limit_sum *sum, const struct regpin_event *event,
	     bool by_index);

/* Adds @from to @to, and empties it. */
void sum_merge(struct limit_sum *to, struct limit_sum *from);

#endif
