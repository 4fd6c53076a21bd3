/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events get a line of their own. A guest that does the same thing over and over
 * must neither fill the host's disk nor hide by that what else it does.
 *
 * Theory of operation: what can happen in a VM is divided into rows: one for each rule
 * that an event names, and one for each other type of event, its reason and a group of
 * vCPUs. A row has 64 places: the bits of the register, the parts of a range of MSRs,
 * or vCPUs. In each hour the first event of a place always gets a line, and takes
 * nothing from anybody: rules and vCPUs are numbered, so there is a bound.
 *
 * All later events are repeats. In one second a cause (a row, one vCPU, reads or
 * writes, one verdict) may have @max lines, and then one that sums up the rest. And in
 * one hour all repeats of one type in one VM share a budget, so that no type spends
 * that of another; a row never gets more than the half of what is left of it. What
 * the budget has no room for is summed up by row, in the first lines of the next hour.
 *
 * Pure: nothing is read but the arguments.
 */
#ifndef REGPIN_TOOL_LIMIT_H
#define REGPIN_TOOL_LIMIT_H

#include "lib/policy/policy.h"
#include "limit_rows.h"

/* @limit must be all zero, or have been through limit_free(). */
void limit_init(struct limit *limit, unsigned int max, unsigned int total);
void limit_free(struct limit *limit);

/*
 * Is the event, whose rule is one of @policy, to be written? If not, it is part of a
 * sum. @now is in ms, of any clock.
 */
bool limit_pass(struct limit *limit, const struct regpin_event *event,
		const struct regpin_policy *policy, uint64_t now);

/*
 * The same for events of one kind that were lost on their way here, and of which only
 * the sum is known: is that to be written?
 */
bool limit_pass_sum(struct limit *limit, struct limit_sum *sum,
		    const struct regpin_policy *policy, uint64_t now);

/*
 * Takes a sum that is to be written now; with @all any that there is. Returns false if
 * there is none. If @many_kinds, it is of several types and VMs, and says only how
 * many they are, and when.
 */
bool limit_take(struct limit *limit, uint64_t now, bool all,
		struct limit_sum *sum, bool *many_kinds);

/* When will there be one? UINT64_MAX: not without another event. */
uint64_t limit_due(const struct limit *limit);

/* Events in sums that nobody has taken. */
uint64_t limit_left(const struct limit *limit);

#endif
