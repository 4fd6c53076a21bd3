// SPDX-License-Identifier: GPL-2.0-only
/* give.c: processes to which the policy is denied cannot fill the event file. */
#include "cm.h"

#include <string.h>

#include "agent/give.h"

#define SECOND	1000
#define HOUR	(3600 * SECOND)

/*
 * Denies a request every @step ms from @from to before @to. Returns the number of
 * events.
 */
static unsigned int flood(struct give *give, uint64_t from, uint64_t to,
			  uint64_t step, uint64_t *counted)
{
	unsigned int events = 0;

	for (uint64_t now = from; now < to; now += step) {
		if (!give_denied_due(give, now))
			continue;
		events++;
		*counted += give->denied;
		give->denied = 0;
	}
	return events;
}

/* The first denial is an event at once, at any time of the clock. */
static void test_first(void **context)
{
	const uint64_t starts[] = { 1, 5000, HOUR, 1000ull * HOUR };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct give give = { 0 };

		assert_true(give_denied_due(&give, starts[i]));
		assert_int_equal(give.denied, 1);
		assert_false(give_denied_due(&give, starts[i]));
		assert_int_equal(give.denied, 2);
	}
}

/* One event a second for a minute, then one a minute; all denials are counted. */
static void test_flood(void **context)
{
	struct give give = { 0 };
	uint64_t counted = 0;

	assert_int_equal(flood(&give, SECOND, 61 * SECOND, 10, &counted), 60);
	assert_int_equal(flood(&give, 61 * SECOND, HOUR + SECOND, 10, &counted),
			 59);
	assert_int_equal(counted + give.denied, 100 * 3600);
}

/*
 * The next hour starts again with one a second, but a flood gets no second such minute
 * within it.
 */
static void test_hours(void **context)
{
	struct give give = { 0 };
	uint64_t counted = 0;

	for (uint64_t hour = 0; hour < 24; hour++) {
		unsigned int events = flood(&give, SECOND + hour * HOUR,
					    SECOND + (hour + 1) * HOUR, 100,
					    &counted);

		assert_in_range(events, 100, 120);
	}
	assert_int_equal(counted + give.denied, 24 * 36000);
}

/* A rare denial is always an event of its own. */
static void test_rare(void **context)
{
	struct give give = { 0 };
	uint64_t counted = 0;

	assert_int_equal(flood(&give, SECOND, 10ull * HOUR, 90 * SECOND,
			       &counted), 400);
	assert_int_equal(counted, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_rare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
