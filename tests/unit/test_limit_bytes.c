// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a guest can write to the host's disk, in lines and in bytes: the bound that
 * regpin(1) gives under LIMITS, tested with guests that do their worst for hours.
 */
#include "cm.h"

#include <limits.h>
#include <string.h>

#include "../limit_oracle.h"
#include "event/event_json.h"
#include "event/event_parts.h"
#include "event/event_sum_json.h"
#include "event/event_tail.h"

/* The numbers in the man page. */
#define REPEATS		10000u	/* lines in an hour, of all types */
#define LINE		2048u	/* bytes of one of them */
#define HOURS		3u

static uint64_t seed = 0xb17e5;

static struct written {
	uint64_t lines, bytes, longest;
} written;

/* Writes a line with a name, a host and a policy that are as long as usual ones get. */
static void write_line(char *line, size_t len)
{
	static char origin[ORIGIN_MAX];
	static struct event_policy policy;
	const struct event_tail tail = {
		.seq = UINT64_MAX, .hold = UINT64_MAX, .origin = origin,
		.policy = &policy,
	};
	char name[64];

	assert_true(len > 0);
	if (!origin[0]) {
		memset(name, 'n', sizeof(name));
		name[sizeof(name) - 1] = 0;
		event_origin(origin, name, name, UINT32_MAX);
		event_policy_init(&policy, name, name, "enforce",
				  &(struct event_rules){ UINT_MAX, UINT_MAX, UINT_MAX,
							 UINT_MAX });
	}
	len = event_add_tail(line, len, &tail);
	written.lines++;
	written.bytes += len;
	if (len > written.longest)
		written.longest = len;
}

static void some_event(unsigned int type, uint32_t rule)
{
	struct regpin_event event = oracle_make(0, type, rule, random64(&seed));
	char line[EVENT_LINE_MAX];

	event.time = UINT64_MAX;
	event.old_value = event.new_value = event.value = event.rip = ~0ull;
	event.has_rip = 1;
	if (type == REGPIN_EVENT_DETECTED || type == REGPIN_EVENT_DEADLINE)
		event.action = REGPIN_REPORT;
	if (type == REGPIN_EVENT_SHUTDOWN)
		event.detail &= 1;
	if (limit_pass(&oracle.limit, &event, oracle.policy, oracle.now))
		write_line(line, event_json(line, &event, oracle.policy));
}

static void some_second(const unsigned int *types, uint32_t rules)
{
	char line[EVENT_LINE_MAX];
	struct limit_sum sum;
	bool many;

	for (unsigned int i = 0; i < 400; i++)
		some_event(types[i % 8], (uint32_t)random64(&seed) % rules);
	oracle.now += 1000;
	while (limit_take(&oracle.limit, oracle.now, false, &sum, &many))
		write_line(line, event_sum_json(line, "repeated", &sum, many,
					  oracle.policy, UINT64_MAX));
}

/*
 * @firsts: the number of events that the guest can cause for the first time, as
 * regpin(1) counts them: bits, parts of ranges, and vCPUs for each reason of each other
 * type.
 */
static void a_guest(const unsigned int *types, uint32_t rules, uint64_t firsts)
{
	struct regpin_policy *policy = oracle_policy(rules);
	struct written before;

	/* A path of 100 bytes. */
	memset(policy->source, 'p', 100);
	memset(&written, 0, sizeof(written));
	oracle_begin(policy, 10, LIMIT_TOTAL);
	for (unsigned int hour = 0; hour < HOURS; hour++) {
		before = written;
		for (unsigned int s = 0; s < 3600; s++)
			some_second(types, rules);
		print_message("# hour %u: %lu lines, %lu bytes, %lu the longest\n",
			      hour, written.lines - before.lines,
			      written.bytes - before.bytes, written.longest);
		assert_true(written.lines - before.lines <= REPEATS + firsts);
		assert_true(written.bytes - before.bytes <=
			    (REPEATS + firsts) * LINE);
		assert_true(written.longest <= LINE);
		/*
		 * The guest gets near the bound, so the bound is about this kind of
		 * flood.
		 */
		assert_true(written.lines - before.lines > REPEATS / 8);
	}
	limit_free(&oracle.limit);
	free(policy);
}

static void of_a_default(void **context)
{
	static const unsigned int types[8];

	/* The eight rules of oracle_policy(). */
	a_guest(types, 8, 4 + 64 + 1 + 2 * 8 + 2 * 64 + 3 * 2);
}

static void of_many_rules(void **context)
{
	static const unsigned int types[8];

	a_guest(types, 300, 300 - 8 + 4 + 64 + 1 + 2 * 8 + 2 * 64 + 3 * 2);
}

static void of_all_types(void **context)
{
	static const unsigned int types[8] = {
		REGPIN_EVENT_VIOLATION, REGPIN_EVENT_DETECTED, REGPIN_EVENT_INIT,
		REGPIN_EVENT_ARMED, REGPIN_EVENT_DISARMED, REGPIN_EVENT_FAILED,
		REGPIN_EVENT_SHUTDOWN, REGPIN_EVENT_RESET,
	};

	/*
	 * Each rule counts twice; seven causes each, seven errors, one INIT, two
	 * places, one reset.
	 */
	a_guest(types, 8, 2 * (4 + 64 + 1 + 2 * 8 + 2 * 64 + 3 * 2) +
		(7 + 7 + 7 + 1 + 2 + 1) * ORACLE_VCPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_default),
		cmocka_unit_test(of_many_rules),
		cmocka_unit_test(of_all_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
