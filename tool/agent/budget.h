/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds the lines that all processes of one VMM cause together. limit.h bounds the lines of
 * each VM, and trusts the numbers of VMs, which the VMM's processes write; a compromised
 * process can invent them.
 *
 * Theory of operation: in each hour, all lines about events in the ring share one budget. When
 * it is used up, two reserves are left. A type of event has one, so that no flood hides the
 * first events of another type. A VM has one for the first event of each kind (limit.h), so that
 * guests that repeat violations cannot hide the first ones in another VM; as many VMs have one as
 * a VMM's processes can have, so that invented VMs add a bounded number of lines. Beyond that,
 * events are counted by their type. Pure.
 */
#ifndef REGPIN_TOOL_BUDGET_H
#define REGPIN_TOOL_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

/*
 * The budget in parts of --event-total, the reserves of each type and of each VM as parts of
 * the budget, and how many VMs have one.
 */
#define BUDGET_TOTALS	4u
#define BUDGET_RESERVE	80u
#define BUDGET_VM_RESERVE	200u
#define BUDGET_VMS	64u

/* Kinds of lines besides the types of events: sums of several types, and timed answers. */
#define BUDGET_SEVERAL	REGPIN_EVENT_TYPE_MAX
#define BUDGET_CONTROL	(REGPIN_EVENT_TYPE_MAX + 1u)
#define BUDGET_KINDS	(REGPIN_EVENT_TYPE_MAX + 2u)

/* Between two reports of what was withheld. */
#define BUDGET_REPORT_MS	60000u

/**
 * struct budget_line - a line that asks for its place in the budget
 * @kind: the type of its events, or BUDGET_SEVERAL, or BUDGET_CONTROL
 * @vm: their VM, if @first
 * @first: it is the first event of its kind in this VM and hour
 * @count: number of events
 */
struct budget_line {
	unsigned int kind;
	uint32_t vm;
	bool first;
	uint64_t count;
};

/**
 * struct budget_vm - a VM that has used its reserve
 * @vm: its number
 * @spent: lines
 */
struct budget_vm {
	uint32_t vm, spent;
};

/**
 * struct budget - the lines of this hour
 * @lines: the budget of an hour; 0: there is none
 * @end: when the hour ends, in ms; 0: no hour has begun
 * @spent: lines that were written in this hour, from the budget and from all reserves
 * @shared: those from the budget
 * @of: those from the reserves of types, by kind
 * @vms: those from the reserves of VMs
 * @nr_vms: number of @vms
 * @withheld: events without a line that no event has reported yet, by kind
 * @total: the sum of @withheld
 * @reported_at: when they were last reported, in ms; 0: never
 */
struct budget {
	uint32_t lines;
	uint64_t end;
	uint32_t spent, shared, of[BUDGET_KINDS];
	struct budget_vm vms[BUDGET_VMS];
	unsigned int nr_vms;
	uint64_t withheld[BUDGET_KINDS], total;
	uint64_t reported_at;
};

/* @total: --event-total; 0: there is no budget. @budget is all zero. */
void budget_init(struct budget *budget, uint32_t total);

/*
 * Takes one line from the budget or from a reserve. Returns false if they are used up: then the
 * events are counted, and the line must not be written.
 */
bool budget_pass(struct budget *budget, const struct budget_line *line, uint64_t now);

/* Is it time to report what was withheld? With @all: is there anything to report? */
bool budget_is_due(const struct budget *budget, uint64_t now, bool all);

/*
 * Takes the number of withheld events of one kind. Returns false if there are no more; then
 * the next report is due after BUDGET_REPORT_MS.
 */
bool budget_take(struct budget *budget, uint64_t now, unsigned int *kind, uint64_t *count);

/* When the next report is due; UINT64_MAX: there is nothing to report. */
uint64_t budget_due(const struct budget *budget);

#endif
