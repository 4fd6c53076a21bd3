// SPDX-License-Identifier: GPL-2.0-only
/* A policy's settings from its text, and the format of times. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "policy/policy_text.h"

static struct regpin_policy policy;
static struct problems problems;

/* Reads a policy that begins with @text. */
static const struct settings *read_settings(const char *text)
{
	char whole[1024];
	int len = snprintf(whole, sizeof(whole),
			   "version: 1\n%srules:\n  - register: EFER\n    sticky: [NXE]\n",
			   text);

	assert_true(len > 0 && len < (int)sizeof(whole));
	assert_int_equal(policy_text_read("test.yaml", whole, (size_t)len,
					  &policy, &problems), 0);
	assert_int_equal(problems.nr, 0);
	return &policy.settings;
}

static void test_defaults(void **state)
{
	static const struct settings defaults = SETTINGS_DEFAULT;

	assert_memory_equal(read_settings(""), &defaults, sizeof(defaults));
	assert_int_equal(policy.arming, ARM_SYSCALL_ENTRY);
	/* The example of the manual. */
	assert_memory_equal(read_settings("floor: {deadline: 2s, action: pause}\n"
					  "unarmed: 60s\n"
					  "init: allow\n"
					  "detect: {every: 10ms, reaction: report}\n"),
			    &defaults, sizeof(defaults));
}

static void test_all(void **state)
{
	const struct settings *s;

	s = read_settings("arming: request\n"
			  "request: {msr: 0x4b4d5300}\n"
			  "floor: {deadline: 7ms, action: stop}\n"
			  "unarmed: 3min\n"
			  "init: report\n"
			  "detect: {every: 1s, reaction: restore}\n"
			  "accept: [s3]\n");
	assert_int_equal(policy.arming, ARM_REQUEST);
	assert_int_equal(policy.flags, POLICY_ACCEPT_S3);
	assert_int_equal(s->request_msr, 0x4b4d5300);
	assert_int_equal(s->deadline_ms, 7);
	assert_int_equal(s->deadline_action, REGPIN_STOP);
	assert_int_equal(s->unarmed_ms, 180000);
	assert_int_equal(s->init_action, REGPIN_REPORT);
	assert_int_equal(s->detect_ms, 1000);
	assert_int_equal(s->detect_action, REGPIN_MASK);
	s = read_settings("arming: operator\n"
			  "floor: {action: report}\n"
			  "init: stop\n"
			  "detect: {reaction: pause}\n");
	assert_int_equal(policy.arming, ARM_OPERATOR);
	assert_int_equal(s->deadline_ms, 2000);
	assert_int_equal(s->deadline_action, REGPIN_REPORT);
	assert_int_equal(s->init_action, REGPIN_STOP);
	assert_int_equal(s->detect_ms, 10);
	assert_int_equal(s->detect_action, REGPIN_PAUSE);
	s = read_settings("arming: request\n"
			  "floor: {deadline: none}\n"
			  "unarmed: none\n"
			  "detect: {every: none}\n");
	assert_int_equal(s->request_msr, 0);
	assert_int_equal(s->deadline_ms, 0);
	assert_int_equal(s->unarmed_ms, 0);
	assert_int_equal(s->detect_ms, 0);
}

/* Mode report turns all actions into report, and keeps the times. */
static void test_mode_report(void **state)
{
	const struct settings *s;

	s = read_settings("mode: report\n"
			  "floor: {deadline: 1s, action: stop}\n"
			  "init: pause\n"
			  "detect: {every: 5ms, reaction: restore}\n");
	assert_int_equal(s->deadline_action, REGPIN_REPORT);
	assert_int_equal(s->init_action, REGPIN_REPORT);
	assert_int_equal(s->detect_action, REGPIN_REPORT);
	assert_int_equal(s->deadline_ms, 1000);
	assert_int_equal(s->detect_ms, 5);
	s = read_settings("mode: report\n");
	assert_int_equal(s->deadline_action, REGPIN_REPORT);
	assert_int_equal(s->init_action, REGPIN_ALLOW);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms;
		const char *fault;
	} rows[] = {
		{ "1ms", 1, NULL },
		{ "10ms", 10, NULL },
		{ "2s", 2000, NULL },
		{ "1min", 60000, NULL },
		{ "1m", 60000, NULL },
		{ "1440m", 86400000, NULL },
		{ "0ms", 0, NULL },
		{ "86400000ms", 86400000, NULL },
		{ "86400s", 86400000, NULL },
		{ "1440min", 86400000, NULL },
		{ "1h", 3600000, NULL },
		{ "24h", 86400000, NULL },
		{ "25h", 0, "at most 24h" },
		{ "86400001ms", 0, "at most 24h" },
		{ "86401s", 0, "at most 24h" },
		{ "1441min", 0, "at most 24h" },
		{ "71582789min", 0, "at most 24h" },
		{ "99999999999999999999999s", 0, "at most 24h" },
		{ "", 0, "a number and its unit" },
		{ "s", 0, "a number and its unit" },
		{ "-1s", 0, "a number and its unit" },
		{ "+1s", 0, "a number and its unit" },
		{ ".5s", 0, "a number and its unit" },
		{ "1", 0, "needs a unit: ms, s, m (min) or h" },
		{ "0", 0, "needs a unit" },
		{ "01", 0, "needs a unit" },
		{ "86401", 0, "needs a unit" },
		{ "0x10", 0, "units of time are" },
		{ "1 s", 0, "without blanks" },
		{ "1s ", 0, "units of time are" },
		{ "1.5s", 0, "whole number" },
		{ "1,5s", 0, "whole number" },
		{ "01s", 0, "leading zero" },
		{ "00s", 0, "leading zero" },
		{ "0x1s", 0, "units of time are" },
		{ "1S", 0, "units of time are" },
		{ "1d", 0, "units of time are" },
		{ "1sec", 0, "units of time are" },
		{ "1us", 0, "units of time are" },
		{ "1s1ms", 0, "units of time are" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t ms = 12345;
		const char *fault = duration_read(rows[i].text, &ms);

		if (rows[i].fault) {
			assert_non_null(fault);
			assert_non_null(strstr(fault, rows[i].fault));
			assert_int_equal(ms, 12345);
		} else {
			assert_null(fault);
			assert_int_equal(ms, rows[i].ms);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_mode_report),
		cmocka_unit_test(test_durations),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
