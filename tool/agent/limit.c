// SPDX-License-Identifier: GPL-2.0-only
/* Lines, sums and budgets: see limit.h. */
#include <string.h>

#include "limit.h"
#include "limit_rows.h"

void limit_init(struct limit *limit, unsigned int max, unsigned int total)
{
	memset(limit, 0, offsetof(struct limit, causes));
	limit->max = max;
	limit->total = total;
}

void limit_free(struct limit *limit)
{
	for (unsigned int i = 0; i < LIMIT_VMS; i++)
		limit_forget(limit, &limit->vms[i]);
}

/* Events that no guest can cause are not limited. */
static bool is_unlimited(const struct regpin_event *event)
{
	return event->type == REGPIN_EVENT_ATTACHED ||
	       event->type == REGPIN_EVENT_REFUSED ||
	       event->type == REGPIN_EVENT_POLICY;
}

/* Begins a new hour if it is time to: its first lines are the sums of the previous one. */
static void update_hour(struct limit_vm *vm, uint64_t now)
{
	if (now < vm->end)
		return;
	vm->end = now + LIMIT_HOUR_MS;
	memset(vm->spent, 0, sizeof(vm->spent));
	vm->due = 0;
	for (struct limit_row *row = vm->list; row; row = row->next) {
		memset(row->seen, 0, sizeof(row->seen));
		row->spent = 0;
		row->due = row->rest[0].count || row->rest[1].count;
		vm->due += row->due;
	}
}

/* Takes one line from the budgets of @type and @row. Returns false if one is used up. */
static bool spend_line(const struct limit *limit, struct limit_vm *vm,
		       struct limit_row *row, unsigned int type)
{
	uint32_t budget = limit->total;

	if (!limit->total)
		return true;
	if (type != REGPIN_EVENT_VIOLATION)
		budget = (budget + LIMIT_PART - 1) / LIMIT_PART;
	if (vm->spent[type] >= budget ||
	    row->spent >= budget - vm->spent[type])
		return false;
	vm->spent[type]++;
	row->spent++;
	return true;
}

/* Is the rule about several MSRs, of which an event names one? */
static bool has_many_msrs(const struct rule *rule)
{
	return rule && rule->count != 1;
}

/* The places of @event in its row, one bit each. */
static uint64_t places_of(const struct regpin_event *event,
			  const struct rule *rule)
{
	uint64_t offset;

	if (!rule)
		return 1ull << event->vcpu % 64;
	if (rule_is_wide(rule))
		return 1;
	if (!has_many_msrs(rule))
		return event->bits;
	offset = event->index - rule->index;
	if (offset >= rule->count)
		return 1;
	return 1ull << (rule->count <= 64 ? offset :
					    offset * 64 / rule->count);
}

/* Is @event the first one of this hour in one of its places? */
static bool is_first(struct limit_row *row, const struct regpin_event *event,
		     const struct rule *rule)
{
	uint64_t *seen = &row->seen[event->write != 0];
	uint64_t take = places_of(event, rule), new = take & ~*seen;

	*seen |= take;
	return new;
}

static struct limit_cause *cause_of(struct limit *limit, struct limit_vm *vm,
				    struct limit_row *row,
				    const struct regpin_event *event)
{
	uint64_t key = (uintptr_t)row / 64 + ((uint64_t)event->vcpu << 4) +
		       ((uint64_t)event->action << 1) + event->write;
	uint64_t hash = key * 0x9e3779b97f4a7c15ull;
	bool many = event->type == REGPIN_EVENT_VIOLATION;
	unsigned int first = many ? 0 : LIMIT_CAUSES / 2;

	for (unsigned int i = 0; i < 16; i++) {
		struct limit_cause *cause = &limit->causes[
			first + ((hash >> 32) + i) % (LIMIT_CAUSES / 2)];

		if (!cause->row) {
			cause->row = row;
			cause->vm = vm;
			cause->vcpu = event->vcpu;
			cause->write = event->write != 0;
			cause->action = event->action;
			cause->seen = 0;
			cause->left.count = 0;
			limit->nr_causes++;
			return cause;
		}
		if (cause->row == row && cause->vcpu == event->vcpu &&
		    cause->write == (event->write != 0) &&
		    cause->action == event->action)
			return cause;
	}
	return NULL;
}

/* Returns the event's row, or NULL if there is no room for one, and its VM in @vm. */
static struct limit_row *row_now(struct limit *limit,
				 const struct regpin_event *event,
				 const struct regpin_policy *policy,
				 uint64_t now, struct limit_vm **vm)
{
	*vm = limit_vm(limit, event->vm, now);
	update_hour(*vm, now);
	return limit_row(limit, *vm, event, policy);
}

enum limit_line limit_pass(struct limit *limit, const struct regpin_event *event,
			   const struct regpin_policy *policy, uint64_t now)
{
	const struct rule *rule = limit_rule(event, policy);
	struct limit_cause *cause;
	struct limit_row *row;
	struct limit_vm *vm;

	if (!limit->max || is_unlimited(event))
		return LIMIT_FIRST;
	row = row_now(limit, event, policy, now, &vm);
	if (!row) {
		limit_sum_add(&limit->others, event, false);
		return LIMIT_NONE;
	}
	cause = cause_of(limit, vm, row, event);
	if (cause)
		cause->seen++;
	if (is_first(row, event, rule))
		return LIMIT_FIRST;
	/*
	 * Many vCPUs can use up the free causes. A violation that gets none is summed up until
	 * the hour ends.
	 */
	if ((cause ? cause->seen <= limit->max :
		     event->type != REGPIN_EVENT_VIOLATION) &&
	    spend_line(limit, vm, row, event->type))
		return LIMIT_REPEAT;
	if (cause) {
		limit_sum_add(&cause->left, event, has_many_msrs(rule));
		limit->left++;
	} else {
		limit_sum_add(&row->rest[event->write != 0], event,
			      has_many_msrs(rule));
		vm->held++;
	}
	return LIMIT_NONE;
}

enum limit_line limit_pass_sum(struct limit *limit, struct limit_sum *sum,
			       const struct regpin_policy *policy, uint64_t now)
{
	const struct regpin_event *event = &sum->event;
	const struct rule *rule = limit_rule(event, policy);
	struct limit_row *row;
	struct limit_vm *vm;

	if (!limit->max || is_unlimited(event))
		return LIMIT_FIRST;
	row = row_now(limit, event, policy, now, &vm);
	if (row && is_first(row, event, rule))
		return LIMIT_FIRST;
	if (row && spend_line(limit, vm, row, event->type))
		return LIMIT_REPEAT;
	if (row)
		vm->held += sum->count;
	limit_sum_merge(row ? &row->rest[event->write != 0] : &limit->others, sum);
	return LIMIT_NONE;
}

/* Takes the sum of a cause, or adds it to that of its row if the budget is used up. */
static bool take_cause(struct limit *limit, bool all, struct limit_sum *sum)
{
	for (; limit->left; limit->at = (limit->at + 1) % LIMIT_CAUSES) {
		struct limit_cause *cause = &limit->causes[limit->at];

		if (!cause->row || !cause->left.count)
			continue;
		limit->left -= cause->left.count;
		if (all || spend_line(limit, cause->vm, cause->row,
				      cause->left.event.type)) {
			*sum = cause->left;
			cause->left.count = 0;
			return true;
		}
		cause->vm->held += cause->left.count;
		limit_sum_merge(&cause->row->rest[cause->write], &cause->left);
	}
	return false;
}

static bool take_rest(const struct limit *limit, struct limit_vm *vm,
		      struct limit_row *row, bool all, struct limit_sum *sum)
{
	for (int i = 0; i < 2; i++) {
		struct limit_sum *rest = &row->rest[i];

		if (!rest->count ||
		    !(all || spend_line(limit, vm, row, rest->event.type)))
			continue;
		*sum = *rest;
		vm->held -= rest->count;
		rest->count = 0;
		return true;
	}
	/* If the budget of this hour is used up as well, the sums wait for the next hour. */
	vm->due -= row->due;
	row->due = false;
	return false;
}

static bool take_rests(const struct limit *limit, struct limit_vm *vm,
		       bool all, struct limit_sum *sum)
{
	struct limit_row *row;

	for (row = vm->list; row && (vm->due || (all && vm->held));
	     row = row->next)
		if ((all || row->due) && take_rest(limit, vm, row, all, sum))
			return true;
	return false;
}

bool limit_take(struct limit *limit, uint64_t now, bool all,
		struct limit_sum *sum, bool *many_kinds)
{
	*many_kinds = false;
	for (unsigned int i = 0; i < LIMIT_VMS; i++)
		if (limit->vms[i].used)
			update_hour(&limit->vms[i], now);
	if (all || now >= limit->end) {
		if (take_cause(limit, all, sum))
			return true;
		if (limit->others.count) {
			*sum = limit->others;
			limit->others.count = 0;
			*many_kinds = true;
			return true;
		}
	}
	if (now >= limit->end) {
		limit_flush_causes(limit);
		limit->end = now + LIMIT_MS;
	}
	for (unsigned int i = 0; i < LIMIT_VMS; i++) {
		struct limit_vm *vm = &limit->vms[i];

		if (vm->used && take_rests(limit, vm, all, sum))
			return true;
	}
	return false;
}

uint64_t limit_due(const struct limit *limit)
{
	uint64_t due = limit->left || limit->others.count ? limit->end :
							    UINT64_MAX;

	for (unsigned int i = 0; i < LIMIT_VMS; i++) {
		const struct limit_vm *vm = &limit->vms[i];

		if (vm->used && vm->due)
			return 0;
		if (vm->used && vm->held && vm->end < due)
			due = vm->end;
	}
	return due;
}

uint64_t limit_left(const struct limit *limit)
{
	uint64_t left = limit->left + limit->others.count;

	for (unsigned int i = 0; i < LIMIT_VMS; i++)
		left += limit->vms[i].held;
	return left;
}
