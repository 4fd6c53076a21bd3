// SPDX-License-Identifier: GPL-2.0-only
/* One budget for all lines that a VMM's processes cause: see budget.h. */
#include <string.h>

#include "budget.h"

#define HOUR_MS	3600000u

void budget_init(struct budget *budget, uint32_t total)
{
	budget->lines = total > UINT32_MAX / BUDGET_TOTALS ? UINT32_MAX : total * BUDGET_TOTALS;
}

static uint32_t reserve_of(const struct budget *budget)
{
	return (budget->lines + BUDGET_RESERVE - 1) / BUDGET_RESERVE;
}

bool budget_pass(struct budget *budget, unsigned int kind, uint64_t count, uint64_t now)
{
	if (!budget->lines)
		return true;
	if (now >= budget->end) {
		budget->end = now + HOUR_MS;
		budget->spent = 0;
		memset(budget->of, 0, sizeof(budget->of));
	}
	if (budget->of[kind] < reserve_of(budget)) {
		budget->of[kind]++;
		return true;
	}
	if (budget->spent < budget->lines) {
		budget->spent++;
		return true;
	}
	budget->withheld[kind] += count;
	budget->total += count;
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
