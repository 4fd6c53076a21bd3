// SPDX-License-Identifier: GPL-2.0-only
/* The limit of lines: every event is either passed or in a count, once. */
#include "cm.h"

#include <stdlib.h>

#include "limit.h"

static struct limit limit;

static struct regpin_event violation(uint32_t vcpu, uint32_t index)
{
	return (struct regpin_event){
		.type = REGPIN_EVENT_VIOLATION, .vcpu = vcpu, .index = index,
		.action = REGPIN_GP,
	};
}

static unsigned int passed(uint32_t vcpu, uint32_t index, unsigned int times)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < times; i++) {
		struct regpin_event event = violation(vcpu, index);

		event.new_value = i;
		n += limit_pass(&limit, &event);
	}
	return n;
}

static void first_ones_pass(void **context)
{
	struct regpin_event event;
	bool shared = true;
	uint64_t count;

	limit_init(&limit, 10);
	assert_int_equal(passed(0, 1, 10), 10);
	assert_false(limit_take(&limit, &event, &shared, &count));
	assert_int_equal(passed(0, 1, 7), 0);
	assert_int_equal(passed(1, 1, 11), 10);
	assert_int_equal(passed(0, 2, 1), 1);
	assert_true(limit_take(&limit, &event, &shared, &count));
	assert_int_equal(count, 7);
	assert_int_equal(event.vcpu, 0);
	assert_false(shared);
	assert_true(limit_take(&limit, &event, &shared, &count));
	assert_int_equal(count, 1);
	assert_int_equal(event.vcpu, 1);
	assert_false(limit_take(&limit, &event, &shared, &count));
}

static void a_new_second(void **context)
{
	struct regpin_event event;
	uint64_t count;
	bool shared;

	limit_init(&limit, 2);
	assert_int_equal(passed(0, 1, 5), 2);
	assert_true(limit_take(&limit, &event, &shared, &count));
	/* Taken, but the second is not over. */
	assert_int_equal(passed(0, 1, 5), 0);
	assert_true(limit_take(&limit, &event, &shared, &count));
	assert_int_equal(count, 5);
	limit_renew(&limit, 1234);
	assert_int_equal(limit.end, 1234 + LIMIT_MS);
	assert_int_equal(passed(0, 1, 5), 2);
}

static void no_limit(void **context)
{
	limit_init(&limit, 0);
	assert_int_equal(passed(0, 1, 1000), 1000);
	assert_int_equal(limit.left, 0);
}

/* A guest with more causes than there are places is limited all the same. */
static void too_many_causes(void **context)
{
	uint64_t count, sum = 0, through = 0;
	struct regpin_event event;
	bool shared = false;

	limit_init(&limit, 3);
	for (uint32_t i = 0; i < 5000; i++)
		through += passed(0, i, 4);
	assert_int_equal(through, 3 * (LIMIT_CAUSES + 1));
	while (limit_take(&limit, &event, &shared, &count))
		sum += count;
	assert_true(shared);
	assert_int_equal(sum + through, 5000 * 4);
	assert_int_equal(limit.left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_ones_pass),
		cmocka_unit_test(a_new_second),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(too_many_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
