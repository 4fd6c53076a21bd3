// SPDX-License-Identifier: GPL-2.0-only
/* Sums of events, notices, and events that make no sense. */
#include <time.h>

#include "event_scene.h"

/* A sum of repeated events has their cause, their times and their number. */
static void test_repeated(void **state)
{
	struct limit_sum sum = {
		.event = violation(), .count = 5, .first = TIME - 1000000000,
	};
	char buf[EVENT_LINE_MAX];

	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\",\"count\":5");
	sum.event.bits |= EFER_SCE;
	sum.many_vcpus = sum.many_actions = true;
	expect_sum(&sum, "\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"SCE\",\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"count\":5");
	sum.many_vcpus = sum.many_actions = false;
	sum.event.type = REGPIN_EVENT_DETECTED;
	sum.event.action = REGPIN_STOP;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"detected\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"bits\":[\"SCE\",\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"action\":\"stop\",\"count\":5");
	sum.event.type = REGPIN_EVENT_INIT;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"init\",\"count\":5");
	sum.event.type = REGPIN_EVENT_DISARMED;
	sum.event.detail = REGPIN_BY_OPERATOR;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"disarmed\",\"cause\":\"operator\",\"count\":5");
	assert_true(event_sum_json(buf, "repeated", &sum, true, NULL, TIME) > 0);
	assert_string_equal(buf, HEAD "\"repeated\",\"count\":5" TIMES SEVERITY("warning"));
	sum.event.type = REGPIN_EVENT_TYPE_MAX;
	assert_int_equal(event_sum_json(buf, "repeated", &sum, false, NULL, TIME), 0);
}

/* The sum of a rule on many MSRs lists them. */
static void test_repeated_indices(void **state)
{
	struct limit_sum sum = { .first = TIME };
	struct regpin_event event = violation();
	char buf[EVENT_LINE_MAX];

	event.write = 0;
	event.bits = UINT64_MAX;
	event.rule = 3;
	event.index = 0x10;
	limit_sum_add(&sum, &event, true);
	limit_sum_add(&sum, &event, true);
	sum.first -= 1000000000;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"TSC\",\"index\":\"0x10\",\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\",\"action\":\"gp\",\"count\":2");
	event.index = 0xc0000080;
	limit_sum_add(&sum, &event, true);
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"indices\":[\"0x10\",\"0xc0000080\"],\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\",\"action\":\"gp\",\"count\":3");
	for (uint32_t i = 0; i < 1000; i++) {
		event.index = 0x1000 + i;
		limit_sum_add(&sum, &event, true);
	}
	assert_true(event_sum_json(buf, "repeated", &sum, false, &policy, TIME) > 0);
	assert_non_null(strstr(buf, ",\"0x103d\"],\"more_indices\":true,"));
	assert_non_null(strstr(buf, "\"count\":1003,"));
}

static void test_refused_and_failed(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_REFUSED,
		.vcpu = REGPIN_NO_VCPU, .rule = REGPIN_NO_RULE,
	};
	char buf[EVENT_LINE_MAX];

	for (uint32_t i = 0; i < REGPIN_REFUSED_MAX; i++) {
		event.detail = i;
		assert_true(event_json(buf, &event, &policy) > 0);
		assert_non_null(strstr(buf, event_refusal_name(i)));
		assert_non_null(strstr(buf, regpin_refusal_text(i)));
	}
	event.type = REGPIN_EVENT_TOLERATED;
	event.detail = REGPIN_REFUSED_SMM;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"tolerated\",\"vm\":0,\"reason\":\"smm\",\"text\":\"the VM has System-Management Mode: "));
	event.type = REGPIN_EVENT_REFUSED;
	event.detail = REGPIN_REFUSED_FILTER;
	event.index = 0xc0000080;
	event.value = 1;
	event.bits = 2;
	event.new_value = 3;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "no room for writes to EFER (the VMM's filter) and 3 more: name fewer MSRs"));
	assert_non_null(strstr(buf, "\"index\":\"0xc0000080\",\"count\":1"));
	event.value = event.bits = event.new_value = ~0ull;
	assert_true(event_json(buf, &event, &policy) > 0);
	event.type = REGPIN_EVENT_FAILED;
	event.detail = EFAULT;
	event.index = MSR_EFER;
	expect(&event, HEAD "\"failed\",\"vm\":0,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"errno\":14,\"error\":\"EFAULT\"}\n");
	event.detail = 0xffffffff;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_null(strstr(buf, "\"error\""));
}

static void test_made_up_events(void **state)
{
	static const struct {
		uint32_t type, actions;		/* the largest possible number */
	} odd[] = {
		{ REGPIN_EVENT_DETECTED, 1u << REGPIN_REPORT |
			1u << REGPIN_MASK | 1u << REGPIN_PAUSE |
			1u << REGPIN_STOP },
		{ REGPIN_EVENT_INIT, 1u << REGPIN_ALLOW | 1u << REGPIN_REPORT |
			1u << REGPIN_PAUSE | 1u << REGPIN_STOP },
		{ REGPIN_EVENT_DEADLINE, 1u << REGPIN_REPORT |
			1u << REGPIN_PAUSE | 1u << REGPIN_STOP },
		{ REGPIN_EVENT_ANSWERED, 1u << REGPIN_ALLOW |
			1u << REGPIN_GP | 1u << REGPIN_STOP },
		{ REGPIN_EVENT_POLICY, (1u << REGPIN_ACTION_MAX) - 1 },
	};
	char buf[EVENT_LINE_MAX];
	struct regpin_event event;

	event = violation();
	event.type = REGPIN_EVENT_ARMED;
	event.detail = REGPIN_CAUSE_MAX;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event.type = REGPIN_EVENT_DISARMED;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event = violation();
	event.type = REGPIN_EVENT_TYPE_MAX;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event = violation();
	event.kind = REGPIN_KIND_MAX;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event = violation();
	event.action = REGPIN_ACTION_MAX;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event = violation();
	event.type = REGPIN_EVENT_REFUSED;
	event.detail = REGPIN_REFUSED_MAX;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	event.type = REGPIN_EVENT_TOLERATED;
	assert_int_equal(event_json(buf, &event, &policy), 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		event = violation();
		event.type = odd[i].type;
		for (unsigned int action = 0; action < REGPIN_ACTION_MAX;
		     action++) {
			event.action = (uint8_t)action;
			assert_int_equal(!event_json(buf, &event, &policy),
					 !(odd[i].actions >> action & 1));
		}
	}
	event = violation();
	event.cpl = 255;
	event.has_rip = 255;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"cpl\":3,"));
}

/* Any 80 bytes yield one line or none, and no crash. */
static void test_random_events(void **state)
{
	struct regpin_event event;
	char buf[EVENT_LINE_MAX];
	unsigned char *bytes = (unsigned char *)&event;

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		size_t len;

		for (size_t i = 0; i < sizeof(event); i++)
			bytes[i] = (unsigned char)random();
		event.type %= REGPIN_EVENT_TYPE_MAX + 1;
		event.kind %= REGPIN_KIND_MAX + 1;
		event.action %= REGPIN_ACTION_MAX + 1;
		if (round % 2)
			event.detail %= REGPIN_CAUSE_MAX + 1;
		len = event_json(buf, &event, &policy);
		if (!len)
			continue;
		assert_true(len < sizeof(buf));
		assert_int_equal(buf[len - 1], '\n');
		assert_ptr_equal(memchr(buf, '\n', len), buf + len - 1);
	}
}

static void test_times(void **state)
{
	char buf[EVENT_TIME_MAX];

	assert_string_equal(event_time(buf, 0),
			    "1970-01-01T00:00:00.000000000Z");
	/* Each day that a time can be of, as the C library has it. */
	for (uint64_t day = 0; day <= UINT64_MAX / 86400000000000ull; day++) {
		uint64_t second = day * 86400 + day % 86400;
		time_t seconds = (time_t)second;
		char expected[EVENT_TIME_MAX];
		struct tm tm;

		if (second > UINT64_MAX / 1000000000u)
			break;
		gmtime_r(&seconds, &tm);
		strftime(expected, sizeof(expected), "%FT%T.000000000Z", &tm);
		assert_string_equal(event_time(buf, second * 1000000000u), expected);
	}
	assert_string_equal(event_time(buf, 999999999),
			    "1970-01-01T00:00:00.999999999Z");
	assert_string_equal(event_time(buf, TIME),
			    "2026-11-21T22:43:23.123456789Z");
	assert_string_equal(event_time(buf, UINT64_MAX),
			    "2554-07-21T23:34:33.709551615Z");
}

static void test_agent_events(void **state)
{
	struct agent_event event = {
		.time = TIME, .type = "dropped",
		.counts[0] = { "count", 17 },
	};
	const uint32_t vm = 0;
	char buf[EVENT_LINE_MAX];

	assert_true(agent_event_json(buf, &event) > 0);
	assert_string_equal(buf, HEAD "\"dropped\",\"count\":17,\"severity\":\"warning\"}\n");
	event = (struct agent_event){
		.time = TIME, .type = "degraded", .text = "a \"reason\"",
		.policy = &policy, .rule = &policy.rules[1],
	};
	assert_true(agent_event_json(buf, &event) > 0);
	assert_string_equal(buf, HEAD "\"degraded\",\"register\":\"MSRs 0x1234-0x1237\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"text\":\"a \\\"reason\\\"\",\"severity\":\"warning\"}\n");
	event = (struct agent_event){
		.time = TIME, .type = "refused", .reason = "raw", .pid = 12,
		.text = "b",
	};
	assert_true(agent_event_json(buf, &event) > 0);
	assert_string_equal(buf, HEAD "\"refused\",\"pid\":12,\"reason\":\"raw\",\"text\":\"b\",\"severity\":\"alert\"}\n");
	event = (struct agent_event){
		.time = TIME, .type = "moved", .vm = &vm, .to = "target",
		.rules = "same", .pid = 12,
	};
	assert_true(agent_event_json(buf, &event) > 0);
	assert_string_equal(buf, HEAD "\"moved\",\"vm\":0,\"to\":\"target\",\"policy\":\"same\",\"pid\":12,\"severity\":\"notice\"}\n");
}

/* The longest name fits, even with bytes whose escapes are longest. */
static void test_longest_line(void **state)
{
	static struct regpin_policy long_name;
	struct regpin_event event = violation();
	struct limit_sum sum = { .count = UINT64_MAX };
	char buf[EVENT_LINE_MAX];

	long_name = policy;
	memset(long_name.source, 0x01, sizeof(long_name.source));
	event.bits = UINT64_MAX - 1;
	event.index = 0xdeadbeef;
	event.has_rip = 1;
	event.old_value = event.new_value = event.value = UINT64_MAX;
	assert_true(event_json(buf, &event, &long_name) > 1500);
	sum.event = event;
	sum.by_index = sum.more_indices = true;
	sum.nr_indices = SUM_INDICES;
	memset(sum.indices, 0xff, sizeof(sum.indices));
	assert_true(event_sum_json(buf, "repeated", &sum, false, &long_name,
				   TIME) > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_repeated_indices),
		cmocka_unit_test(test_refused_and_failed),
		cmocka_unit_test(test_made_up_events),
		cmocka_unit_test(test_random_events),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_agent_events),
		cmocka_unit_test(test_longest_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
