// SPDX-License-Identifier: GPL-2.0-only
/* The rows of the limiter, which are made at the first event and found by number. */
#include <stdlib.h>
#include <string.h>

#include "limit_rows.h"

void limit_flush_causes(struct limit *limit)
{
	for (unsigned int i = 0; limit->nr_causes && i < LIMIT_CAUSES; i++) {
		struct limit_cause *cause = &limit->causes[i];

		if (!cause->row)
			continue;
		cause->vm->held += cause->left.count;
		limit_sum_merge(&cause->row->rest[cause->write], &cause->left);
		cause->row = NULL;
	}
	limit->nr_causes = 0;
	limit->left = 0;
}

/* Frees a row, and adds its sums to @others. */
static void drop_row(struct limit *limit, struct limit_vm *vm,
		     struct limit_row *row)
{
	for (int i = 0; i < 2; i++) {
		vm->held -= row->rest[i].count;
		limit_sum_merge(&limit->others, &row->rest[i]);
	}
	vm->due -= row->due;
	limit->nr_rows--;
	free(row);
}

/* Frees the rows of @rules, or all rows if @rules is NULL. */
static void drop_rows(struct limit *limit, struct limit_vm *vm,
		      const struct limit_rules *rules)
{
	struct limit_row **at = &vm->list;

	limit_flush_causes(limit);
	while (*at) {
		struct limit_row *row = *at;

		if (rules && row->rules != rules->rows) {
			at = &row->next;
			continue;
		}
		*at = row->next;
		drop_row(limit, vm, row);
	}
}

void limit_forget(struct limit *limit, struct limit_vm *vm)
{
	drop_rows(limit, vm, NULL);
	for (int i = 0; i < 2; i++)
		free(vm->rules[i].rows);
	free(vm->types);
	memset(vm, 0, sizeof(*vm));
}

struct limit_vm *limit_vm(struct limit *limit, uint32_t number, uint64_t now)
{
	struct limit_vm *vm = &limit->vms[0];

	for (unsigned int i = 0; i < LIMIT_VMS; i++) {
		struct limit_vm *other = &limit->vms[i];

		if (other->used && other->vm == number) {
			other->last = now;
			return other;
		}
		/* A free slot; otherwise the one that was idle longest. */
		if (vm->used && (!other->used || other->last < vm->last))
			vm = other;
	}
	if (vm->used)
		limit_forget(limit, vm);
	vm->used = true;
	vm->vm = number;
	vm->last = now;
	vm->end = now + LIMIT_HOUR_MS;
	vm->types = calloc(LIMIT_TYPE_ROWS, sizeof(struct limit_row *));
	return vm;
}

const struct rule *limit_rule(const struct regpin_event *event,
			      const struct regpin_policy *policy)
{
	if (event->type != REGPIN_EVENT_VIOLATION &&
	    event->type != REGPIN_EVENT_DETECTED &&
	    event->type != REGPIN_EVENT_VMM_WRITE)
		return NULL;
	return policy && event->rule < policy->nr_rules ?
		       &policy->rules[event->rule] : NULL;
}

/* The rows of the event's policy. New ones replace the older one of two policies. */
static struct limit_rules *rules_of(struct limit *limit, struct limit_vm *vm,
				    const struct regpin_event *event,
				    const struct regpin_policy *policy)
{
	struct limit_rules *rules = &vm->rules[1];

	for (int i = 0; i < 2; i++)
		if (vm->rules[i].rows && vm->rules[i].nr == policy->nr_rules &&
		    vm->rules[i].policy == event->policy)
			return &vm->rules[i];
	if (rules->rows) {
		drop_rows(limit, vm, rules);
		free(rules->rows);
	}
	*rules = vm->rules[0];
	rules = &vm->rules[0];
	rules->rows = calloc((size_t)policy->nr_rules * LIMIT_RULE_TYPES,
			     sizeof(struct limit_row *));
	rules->nr = policy->nr_rules;
	rules->policy = event->policy;
	return rules->rows ? rules : NULL;
}

/* The reason in an event without a rule: each reason has rows of its own. */
static unsigned int reason_of(const struct regpin_event *event)
{
	switch (event->type) {
	case REGPIN_EVENT_ARMED:
	case REGPIN_EVENT_DISARMED:
	case REGPIN_EVENT_SHUTDOWN:
	case REGPIN_EVENT_UNREACHED:
		return event->detail % LIMIT_REASONS;
	case REGPIN_EVENT_FAILED:
		return event->detail % (LIMIT_REASONS / 2) * 2 +
		       (event->action == REGPIN_STOP);
	case REGPIN_EVENT_RESET:
		return 0;
	default:
		return event->action;
	}
}

static struct limit_row **place_of(struct limit *limit, struct limit_vm *vm,
				   const struct regpin_event *event,
				   const struct regpin_policy *policy,
				   struct limit_row ***of)
{
	static const uint8_t number[REGPIN_EVENT_TYPE_MAX] = {
		[REGPIN_EVENT_VIOLATION] = 0,
		[REGPIN_EVENT_DETECTED] = 1,
		[REGPIN_EVENT_VMM_WRITE] = 2,
	};
	struct limit_rules *rules;

	*of = NULL;
	if (!limit_rule(event, policy))
		return !vm->types ? NULL : &vm->types[(event->type * LIMIT_REASONS +
				   reason_of(event)) * LIMIT_GROUPS +
				  event->vcpu / 64 % LIMIT_GROUPS];
	rules = rules_of(limit, vm, event, policy);
	if (!rules)
		return NULL;
	*of = rules->rows;
	return &rules->rows[number[event->type] * rules->nr + event->rule];
}

struct limit_row *limit_row(struct limit *limit, struct limit_vm *vm,
			    const struct regpin_event *event,
			    const struct regpin_policy *policy)
{
	struct limit_row **of, **at = place_of(limit, vm, event, policy, &of);
	struct limit_row *row;

	if (!at || *at)
		return at ? *at : NULL;
	row = limit->nr_rows < LIMIT_ROWS ? calloc(1, sizeof(*row)) : NULL;
	if (!row)
		return NULL;
	limit->nr_rows++;
	row->rules = of;
	row->next = vm->list;
	vm->list = row;
	*at = row;
	return row;
}
