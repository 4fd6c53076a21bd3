// SPDX-License-Identifier: GPL-2.0-only
/* One budget for all lines that a VMM's processes cause. */
#include "cm.h"

#include <string.h>

#include "agent/budget.h"

#define TOTAL	100u	/* a budget of 400, and a reserve of 5 for each kind */
#define HOUR	3600000u

static struct budget budget;

static int begin(void **state)
{
	memset(&budget, 0, sizeof(budget));
	budget_init(&budget, TOTAL);
	return 0;
}

/* The number of lines that pass, of @n. */
static unsigned int passed(unsigned int kind, unsigned int n, uint64_t now)
{
	unsigned int lines = 0;

	while (n--)
		lines += budget_pass(&budget, kind, 1, now);
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

/* No order of kinds makes more lines than the budget and the reserves. */
static void bound(void **state)
{
	unsigned int lines = 0;
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 100000; i++) {
		seed = seed * 6364136223846793005ull + 1;
		lines += budget_pass(&budget, (seed >> 33) % BUDGET_KINDS, 1, 1);
	}
	assert_int_equal(lines, 4 * TOTAL + 5 * BUDGET_KINDS);
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
	assert_false(budget_pass(&budget, REGPIN_EVENT_ARMED, 390, 7));
	assert_false(budget_pass(&budget, REGPIN_EVENT_ARMED, 3, 7));
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
		cmocka_unit_test_setup(bound, begin),
		cmocka_unit_test_setup(counts, begin),
		cmocka_unit_test_setup(without, begin),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
