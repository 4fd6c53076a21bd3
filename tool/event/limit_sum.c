// SPDX-License-Identifier: GPL-2.0-only
/* Sums of events. They keep all bits, MSRs, and the last values, but not the order. */
#include <string.h>

#include "limit_sum.h"

static void add_index(struct limit_sum *sum, uint32_t index)
{
	for (unsigned int i = 0; i < sum->nr_indices; i++)
		if (sum->indices[i] == index)
			return;
	if (sum->nr_indices < SUM_INDICES)
		sum->indices[sum->nr_indices++] = index;
	else
		sum->more_indices = true;
}

static void begin(struct limit_sum *sum, const struct regpin_event *event)
{
	memset(sum, 0, offsetof(struct limit_sum, indices));
	sum->event = *event;
	sum->first = event->time;
}

/*
 * Adds @event to a sum that is not empty. @event may be the last event of another sum, whose
 * first event was at @first.
 */
static void join(struct limit_sum *sum, const struct regpin_event *event,
		 uint64_t first)
{
	uint64_t bits = sum->event.bits | event->bits;

	sum->many_vcpus |= sum->event.vcpu != event->vcpu;
	sum->many_actions |= sum->event.action != event->action;
	if (first < sum->first)
		sum->first = first;
	if (event->time >= sum->event.time)
		sum->event = *event;
	sum->event.bits = bits;
}

void limit_sum_add(struct limit_sum *sum, const struct regpin_event *event,
		   bool by_index)
{
	if (!sum->count)
		begin(sum, event);
	else
		join(sum, event, event->time);
	sum->count++;
	if (!by_index)
		return;
	sum->by_index = true;
	add_index(sum, event->index);
}

void limit_sum_merge(struct limit_sum *to, struct limit_sum *from)
{
	if (!from->count)
		return;
	if (!to->count)
		begin(to, &from->event);
	join(to, &from->event, from->first);
	to->count += from->count;
	to->many_vcpus |= from->many_vcpus;
	to->many_actions |= from->many_actions;
	to->by_index |= from->by_index;
	to->more_indices |= from->more_indices;
	for (unsigned int i = 0; i < from->nr_indices; i++)
		add_index(to, from->indices[i]);
	from->count = 0;
}
