/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts and sums of the limiter, by VM, rule and type of event; see limit.h. */
#ifndef REGPIN_TOOL_LIMIT_ROWS_H
#define REGPIN_TOOL_LIMIT_ROWS_H

#include "event/limit_sum.h"
#include "lib/policy/policy.h"

#define LIMIT_MS	1000u
#define LIMIT_HOUR_MS	3600000u

/* Repeats of violations in one VM and hour; each other type has a tenth of that. */
#define LIMIT_TOTAL	5000u
#define LIMIT_PART	10u

/*
 * Causes in one second, half of them for violations. Further violations are summed up by
 * row; further events of other types get lines as far as the budget permits.
 */
#define LIMIT_CAUSES	2048u

/* VMs with rows of their own; a further one replaces the VM that was idle longest. */
#define LIMIT_VMS	64u

/* Rows of all VMs. Guests cannot use up so many, but a compromised VMM could. */
#define LIMIT_ROWS	65536u

/* Reasons for which events without a rule have rows, and groups of 64 vCPUs. */
#define LIMIT_REASONS	16u
#define LIMIT_GROUPS	16u
#define LIMIT_TYPE_ROWS	((size_t)REGPIN_EVENT_TYPE_MAX * LIMIT_REASONS * LIMIT_GROUPS)

/* Types whose events name rules. */
#define LIMIT_RULE_TYPES	3u

/**
 * struct limit_row - places, lines and sums of one kind of event
 * @next: the VM's next row
 * @rules: the @rows of struct limit_rules that point to it, or NULL
 * @seen: places whose first event of this hour got a line, by access
 * @spent: lines of repeats this hour
 * @due: @rest has sums of an hour that has ended
 * @rest: sums of events that got no line: [0] of reads, [1] of writes and other events
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
 * @rows: by type and rule, NULL where there was no event; @rows itself is NULL if unused
 * @nr: number of rules
 * @policy: the policy's number
 */
struct limit_rules {
	struct limit_row **rows;
	uint32_t nr;
	uint32_t policy;
};

/**
 * struct limit_vm - one VM's rows
 * @used: the slot is in use
 * @vm: the VM's number
 * @end: when its hour ends, in ms
 * @last: when it last had an event
 * @held: number of events in the rows' @rest
 * @due: rows whose @due is set
 * @spent: lines of repeats this hour, by type
 * @list: all rows
 * @rules: the rows of its policy's rules, and of the previous policy's
 * @types: all other rows, by type, reason and group; NULL: there was no memory
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
 * @vm: the row's VM
 * @vcpu, @write, @action: as in its events
 * @seen: number of events
 * @left: the sum of those that got no line
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
 * @max: lines for one cause in a second, 0: all events get lines
 * @total: lines of repeats for violations in one VM and hour, 0: no limit
 * @end: when the second ends, in ms
 * @nr_causes: number of causes in it
 * @at: the place in @causes at which limit_take() continues
 * @left: number of events in the causes' @left
 * @nr_rows: number of rows of all VMs
 * @others: the sum of events of many kinds, without a row
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

/* Adds the sums of this second's causes to those of their rows, and frees the causes. */
void limit_flush_causes(struct limit *limit);

/* The VM of that number; if need be, the VM that was idle longest makes room for it. */
struct limit_vm *limit_vm(struct limit *limit, uint32_t number, uint64_t now);

/* The row of @event, or NULL if there are too many or no memory. */
struct limit_row *limit_row(struct limit *limit, struct limit_vm *vm,
			    const struct regpin_event *event,
			    const struct regpin_policy *policy);

/* The rule of @policy that decides about the row of @event, or NULL. */
const struct rule *limit_rule(const struct regpin_event *event,
			      const struct regpin_policy *policy);

/* Frees all rows of a VM; their sums are added to @others. */
void limit_forget(struct limit *limit, struct limit_vm *vm);

#endif
