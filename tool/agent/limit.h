/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decides which events get a line of their own. A guest that does the same thing over and
 * over must neither fill the host's disk nor hide its other accesses among the repeats.
 *
 * Theory of operation: events of a VM are divided into rows: one for each rule that an
 * event names, and one for each other type of event, its reason and a group of vCPUs. A row
 * has 64 places: the bits of the register, the parts of a range of MSRs, or vCPUs. In each
 * hour the first event of a place always gets a line, and does not count against a budget.
 * The number of such lines is bounded, because rules and vCPUs are.
 *
 * All later events are repeats. In one second a cause (a row, one vCPU, reads or writes,
 * one verdict) may have @max lines, and then one that sums up the rest. In one hour all
 * repeats of one type in one VM share a budget, so that no type uses up the budget of
 * another, and a row gets at most half of what is left of it. Events beyond the budget are
 * summed up by row, in the first lines of the next hour.
 *
 * Pure: only the arguments are read.
 */
#ifndef REGPIN_TOOL_LIMIT_H
#define REGPIN_TOOL_LIMIT_H

#include "lib/policy/policy.h"
#include "limit_rows.h"

/* The caller passes a @limit that is all zero, or was passed to limit_free(). */
void limit_init(struct limit *limit, unsigned int max, unsigned int total);
void limit_free(struct limit *limit);

/**
 * enum limit_line - the line of an event
 * @LIMIT_NONE: it gets none
 * @LIMIT_REPEAT: it gets one from the budgets of repeats
 * @LIMIT_FIRST: it gets one as the first event of a place in this hour, or is not limited
 */
enum limit_line {
	LIMIT_NONE,
	LIMIT_REPEAT,
	LIMIT_FIRST,
};

/*
 * Does the event, whose rule is one of @policy, get a line? If not, it has been added to a sum.
 * @now is in ms, of any clock.
 */
enum limit_line limit_pass(struct limit *limit, const struct regpin_event *event,
			   const struct regpin_policy *policy, uint64_t now);

/* The same for a sum of events of one kind that the ring dropped. */
enum limit_line limit_pass_sum(struct limit *limit, struct limit_sum *sum,
			       const struct regpin_policy *policy, uint64_t now);

/*
 * Takes a sum that is due, or with @all any sum. Returns false if there is none. If
 * @many_kinds is set, the events were of several types and VMs, and only their number and
 * times are valid.
 */
bool limit_take(struct limit *limit, uint64_t now, bool all,
		struct limit_sum *sum, bool *many_kinds);

/* When the next sum is due. UINT64_MAX: none is, unless another event comes. */
uint64_t limit_due(const struct limit *limit);

/* Number of events in sums that have not been taken. */
uint64_t limit_left(const struct limit *limit);

#endif
