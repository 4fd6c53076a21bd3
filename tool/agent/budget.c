// SPDX-License-Identifier: GPL-2.0-only
/* One budget for all lines that a VMM's processes cause: see budget.h. */
#include <string.h>

#include "budget.h"

#define HOUR_MS	3600000u

void budget_init(struct budget *budget, uint32_t total)
{
	budget->lines = total > UINT32_MAX / BUDGET_TOTALS ? UINT32_MAX : total * BUDGET_TOTALS;
}

static uint32_t reserve_of(const struct budget *budget, uint32_t part)
{
	return (budget->lines + part - 1) / part;
}

/* Takes a line from a reserve, of which @spent lines have been used. */
static bool take(uint32_t *spent, uint32_t reserve)
{
	if (*spent >= reserve)
		return false;
	(*spent)++;
	return true;
}

/* The VM's place; NULL: there is none left. */
static struct budget_vm *vm_of(struct budget *budget, uint32_t vm)
{
	for (unsigned int i = 0; i < budget->nr_vms; i++)
		if (budget->vms[i].vm == vm)
			return &budget->vms[i];
	if (budget->nr_vms == BUDGET_VMS)
		return NULL;
	budget->vms[budget->nr_vms] = (struct budget_vm){ .vm = vm };
	return &budget->vms[budget->nr_vms++];
}

static bool take_vm(struct budget *budget, uint32_t vm)
{
	struct budget_vm *place = vm_of(budget, vm);

	return place && take(&place->spent, reserve_of(budget, BUDGET_VM_RESERVE));
}

static void update_hour(struct budget *budget, uint64_t now)
{
	if (now < budget->end)
		return;
	budget->end = now + HOUR_MS;
	budget->spent = budget->shared = 0;
	budget->nr_vms = 0;
	memset(budget->of, 0, sizeof(budget->of));
}

bool budget_pass(struct budget *budget, const struct budget_line *line, uint64_t now)
{
	if (!budget->lines)
		return true;
	update_hour(budget, now);
	/* The reserves come last, so that none of them is used before the budget is used up. */
	if (take(&budget->shared, budget->lines) ||
	    take(&budget->of[line->kind], reserve_of(budget, BUDGET_RESERVE)) ||
	    (line->first && take_vm(budget, line->vm))) {
		budget->spent++;
		return true;
	}
	budget->withheld[line->kind] += line->count;
	budget->total += line->count;
	return false;
}

uint64_t budget_due(const struct budget *budget)
{
	if (!budget->total)
		return UINT64_MAX;
	return budget->reported_at ? budget->reported_at + BUDGET_REPORT_MS : 0;
}

bool budget_is_due(const struct budget *budget, uint64_t now, bool all)
{
	return all ? budget->total : budget_due(budget) <= now;
}

bool budget_take(struct budget *budget, uint64_t now, unsigned int *kind, uint64_t *count)
{
	for (unsigned int i = 0; i < BUDGET_KINDS; i++) {
		if (!budget->withheld[i])
			continue;
		*kind = i;
		*count = budget->withheld[i];
		budget->total -= *count;
		budget->withheld[i] = 0;
		return true;
	}
	budget->reported_at = now ? now : 1;
	return false;
}
