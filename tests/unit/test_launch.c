// SPDX-License-Identifier: GPL-2.0-only
/* Which policies wait for an operator: `run --no-ctl` warns of these. */
#include "cm.h"

#include <stdio.h>

#include "agent/launch_notices.h"
#include "policy/policy_text.h"

static bool answered;	/* with --answer-after */

/* Does a policy with the top keys @top and the rule @rule wait for an operator? */
static bool wants(const char *top, const char *rule)
{
	static struct regpin_policy policy;
	static struct problems problems;
	char text[1024];
	int len = snprintf(text, sizeof(text), "version: 1\n%srules:\n  - %s\n",
			   top, rule);

	assert_true(len > 0 && len < (int)sizeof(text));
	assert_int_equal(policy_text_read("test.yaml", text, (size_t)len,
					  &policy, &problems), 0);
	return launch_needs_operator(&policy, answered);
}

#define STICKY	"{register: EFER, sticky: [NXE]}"
#define DENY	"{register: 0x10a, deny: write}"

static void floors(void **state)
{
	/* The floor's default is to hold a vCPU after 2 s. */
	assert_true(wants("", STICKY));
	assert_true(wants("floor: {deadline: 1s, action: pause}\n", STICKY));
	assert_false(wants("floor: {deadline: 1s, action: report}\n", STICKY));
	assert_false(wants("floor: {deadline: 1s, action: stop}\n", STICKY));
	assert_false(wants("floor: {deadline: none}\n", STICKY));
	/* No vCPU is ever unarmed, or there is nothing to arm for. */
	assert_false(wants("arming: start\n", STICKY));
	assert_false(wants("", DENY));
	assert_false(wants("mode: report\n", STICKY));
}

static void others(void **state)
{
	assert_true(wants("arming: operator\nfloor: {deadline: none}\n", STICKY));
	assert_true(wants("arming: start\n",
			  "{register: EFER, sticky: [NXE], action: pause}"));
	assert_true(wants("arming: start\ninit: pause\n", STICKY));
	assert_true(wants("arming: start\ndetect: {reaction: pause}\n", STICKY));
}

/* With --answer-after no held vCPU waits forever. */
static void after_a_time(void **state)
{
	answered = true;
	assert_false(wants("", STICKY));
	assert_false(wants("arming: start\n", "{register: EFER, sticky: [NXE], action: pause}"));
	assert_false(wants("arming: start\ninit: pause\n", STICKY));
	assert_false(wants("arming: start\ndetect: {reaction: pause}\n", STICKY));
	assert_true(wants("arming: operator\nfloor: {deadline: none}\n", STICKY));
	answered = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floors),
		cmocka_unit_test(others),
		cmocka_unit_test(after_a_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
