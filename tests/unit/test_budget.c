// SPDX-License-Identifier: GPL-2.0-only
/* One budget for all lines that a VMM's processes cause. */
#include "cm.h"

#include <string.h>

#include "agent/budget.h"

#define TOTAL	100u	/* a budget of 400, and reserves of 5 for each kind and 2 for each VM */
#define HOUR	3600000u

static struct budget budget;

static int begin(void **state)
{
	memset(&budget, 0, sizeof(budget));
	budget_init(&budget, TOTAL);
	return 0;
}

static bool pass(unsigned int kind, uint64_t count, uint64_t now)
{
	const struct budget_line line = { .kind = kind, .count = count };

	return budget_pass(&budget, &line, now);
}

/* The number of lines that pass, of @n. */
static unsigned int passed(unsigned int kind, unsigned int n, uint64_t now)
{
	unsigned int lines = 0;

	while (n--)
		lines += pass(kind, 1, now);
	return lines;
}

/* The same for the first events of places in a VM. */
static unsigned int passed_first(uint32_t vm, unsigned int n, uint64_t now)
{
	const struct budget_line line = {
		.kind = REGPIN_EVENT_VIOLATION, .vm = vm, .first = true, .count = 1,
	};
	unsigned int lines = 0;

	while (n--)
		lines += budget_pass(&budget, &line, now);
	return lines;
}

/* A flood of one type leaves each other type its reserve. */
static void reserve(void **state)
{
	assert_int_equal(passed(REGPIN_EVENT_ATTACHED, 10000, 1), 405);
	for (unsigned int kind = 0; kind < BUDGET_KINDS; kind++)
		assert_int_equal(passed(kind, 100, 2), kind == REGPIN_EVENT_ATTACHED ? 0 : 5);
	/* Another hour. */
	assert_int_equal(passed(REGPIN_EVENT_ATTACHED, 10000, HOUR), 0);
	assert_int_equal(passed(REGPIN_EVENT_ATTACHED, 10000, HOUR + 1), 405);
}

/* A flood of repeats leaves each VM its reserve, which only its own first events use. */
static void reserve_of_vms(void **state)
{
	/* While there is a budget, no reserve is used. */
	assert_int_equal(passed_first(7, 100, 1), 100);
	assert_int_equal(passed(REGPIN_EVENT_VIOLATION, 10000, 1), 305);
	assert_int_equal(budget.nr_vms, 0);
	assert_int_equal(passed_first(7, 100, 2), 2);
	for (uint32_t vm = 100; vm < 100 + BUDGET_VMS - 1; vm++)
		assert_int_equal(passed_first(vm, 100, 2), 2);
	/* Further VMs, which may be invented, have none. */
	assert_int_equal(passed_first(99, 100, 2), 0);
	assert_int_equal(passed_first(7, 100, 2), 0);
	assert_int_equal(passed(REGPIN_EVENT_VIOLATION, 100, 2), 0);
	/* Another hour. */
	assert_int_equal(passed(REGPIN_EVENT_VIOLATION, 10000, HOUR + 1), 405);
	assert_int_equal(passed_first(99, 100, HOUR + 1), 2);
}

/* No order of kinds and VMs makes more lines than the budget and the reserves. */
static void bound(void **state)
{
	unsigned int lines = 0;
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 100000; i++) {
		struct budget_line line = { .count = 1 };

		seed = seed * 6364136223846793005ull + 1;
		line.kind = (seed >> 33) % BUDGET_KINDS;
		line.vm = (uint32_t)(seed >> 48) % 1000;
		line.first = seed >> 63;
		lines += budget_pass(&budget, &line, 1);
		assert_int_equal(lines, budget.spent);
	}
	assert_int_equal(lines, 4 * TOTAL + 5 * BUDGET_KINDS + 2 * BUDGET_VMS);
	assert_int_equal(lines + budget.total, 100000);
}

static void counts(void **state)
{
	unsigned int kind;
	uint64_t count;

	assert_int_equal(budget_due(&budget), UINT64_MAX);
	assert_false(budget_is_due(&budget, HOUR, true));
	passed(REGPIN_EVENT_ARMED, 405, 7);
	/* A sum of many events is one line. */
	assert_false(pass(REGPIN_EVENT_ARMED, 390, 7));
	assert_false(pass(REGPIN_EVENT_ARMED, 3, 7));
	passed(BUDGET_SEVERAL, 6, 7);
	assert_true(budget_is_due(&budget, 7, false));
	assert_true(budget_take(&budget, 7, &kind, &count));
	assert_int_equal(kind, REGPIN_EVENT_ARMED);
	assert_int_equal(count, 393);
	assert_true(budget_take(&budget, 7, &kind, &count));
	assert_int_equal(kind, BUDGET_SEVERAL);
	assert_int_equal(count, 1);
	assert_false(budget_take(&budget, 7, &kind, &count));
	assert_int_equal(budget.total, 0);
	/* The next report comes a minute later, or at the end. */
	passed(REGPIN_EVENT_ARMED, 1, 8);
	assert_int_equal(budget_due(&budget), 7 + BUDGET_REPORT_MS);
	assert_false(budget_is_due(&budget, 6 + BUDGET_REPORT_MS, false));
	assert_true(budget_is_due(&budget, 7 + BUDGET_REPORT_MS, false));
	assert_true(budget_is_due(&budget, 8, true));
}

static void without(void **state)
{
	memset(&budget, 0, sizeof(budget));
	budget_init(&budget, 0);
	assert_int_equal(passed(REGPIN_EVENT_VIOLATION, 100000, 1), 100000);
	budget_init(&budget, 2000000000);
	assert_int_equal(budget.lines, UINT32_MAX);
	budget_init(&budget, 1);
	assert_int_equal(passed(REGPIN_EVENT_VIOLATION, 100, 1), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reserve, begin),
		cmocka_unit_test_setup(reserve_of_vms, begin),
		cmocka_unit_test_setup(bound, begin),
		cmocka_unit_test_setup(counts, begin),
		cmocka_unit_test_setup(without, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
