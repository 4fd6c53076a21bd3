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

#include "event/limit_sum.h"
#include "policy.h"

#define LIMIT_MS	1000u
#define LIMIT_HOUR_MS	3600000u

/* Repeats of violations in one VM and hour; each other type has a tenth of that. */
#define LIMIT_TOTAL	5000u
#define LIMIT_PART	10u

/*
 * Causes in one second, half of them for violations. Those that are beyond are summed
 * up by row, or, if they are none of violations, written as the budget permits.
 */
#define LIMIT_CAUSES	2048u

/* VMs with rows of their own; a further one takes the place of the one idle longest. */
#define LIMIT_VMS	64u

/* Rows of all VMs: more than guests can touch, but a hostile VMM makes up events. */
#define LIMIT_ROWS	65536u

/* Reasons for which events without a rule have rows, and groups of 64 vCPUs. */
#define LIMIT_REASONS	16u
#define LIMIT_GROUPS	16u
#define LIMIT_TYPE_ROWS	((size_t)REGPIN_EVENT_TYPE_MAX * LIMIT_REASONS * LIMIT_GROUPS)

/* Types whose events name rules. */
#define LIMIT_RULE_TYPES	3u

/**
 * struct limit_row - what was written of one kind of event, and what was not
 * @next: the VM's next row
 * @rules: struct limit_rules's @rows that it is one of, or NULL
 * @seen: places whose first event has been written this hour, by access
 * @spent: lines of repeats this hour
 * @due: @rest is of an hour that has ended
 * @rest: what got no line, by access: reads, and writes and all else
 */
struct limit_row {
	struct limit_row *next;
	struct limit_row **rules;
	uint64_t seen[2];
	uint32_t spent;
	bool due;
	struct limit_sum rest[2];
};

/**
 * struct limit_rules - the rows of one policy's rules
 * @rows: by type and rule, NULL where nothing has happened; NULL: not in use
 * @nr: number of rules
 * @policy: as in events
 */
struct limit_rules {
	struct limit_row **rows;
	uint32_t nr;
	uint8_t policy;
};

/**
 * struct limit_vm - one VM's rows
 * @used: it is in use
 * @vm: its number
 * @end: when its hour ends, in ms
 * @last: when it had an event last
 * @held: events in the rows' @rest
 * @due: rows whose @due is set
 * @spent: lines of repeats this hour, by type
 * @list: all rows
 * @rules: those of its policy, and of the one before
 * @types: all others, by type, reason and group; NULL: no memory
 */
struct limit_vm {
	bool used;
	uint32_t vm;
	uint64_t end, last;
	uint64_t held;
	uint32_t due;
	uint32_t spent[REGPIN_EVENT_TYPE_MAX];
	struct limit_row *list;
	struct limit_rules rules[2];
	struct limit_row **types;
};

/**
 * struct limit_cause - one cause in this second
 * @row: its row, NULL: a free place
 * @vm: that one's VM
 * @vcpu, @write, @action: as in its events
 * @seen: number of events
 * @left: those of them that got no line
 */
struct limit_cause {
	struct limit_row *row;
	struct limit_vm *vm;
	uint32_t vcpu;
	uint8_t write, action;
	uint64_t seen;
	struct limit_sum left;
};

/**
 * struct limit - all VMs of an agent
 * @max: lines for one cause in a second, 0: everything is written
 * @total: lines of repeats for violations in one VM and hour, 0: as many as come
 * @end: when the second ends, in ms
 * @nr_causes: number of causes in it
 * @at: the place in @causes from which limit_take() goes on
 * @left: events in the causes' @left
 * @nr_rows: number of rows of all VMs
 * @others: events of many kinds, whose rows are gone, or for which there was no room
 * @vms: VMs that had events
 * @causes: a hash table
 */
struct limit {
	unsigned int max, total;
	uint64_t end;
	unsigned int nr_causes, at;
	uint64_t left;
	unsigned int nr_rows;
	struct limit_sum others;
	struct limit_vm vms[LIMIT_VMS];
	struct limit_cause causes[LIMIT_CAUSES];
};

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
bool limit_lost(struct limit *limit, struct limit_sum *sum,
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
