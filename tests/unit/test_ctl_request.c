// SPDX-License-Identifier: GPL-2.0-only
/* ctl_request.c: the grammar of docs/protocol.md, and what it excludes. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "ctl/ctl_request.h"

static struct ctl_request request;
static char error[CTL_ERROR_MAX];

static bool reads(const char *line)
{
	memset(error, 0, sizeof(error));
	return ctl_request_read(&request, line, strlen(line), error);
}

static void good_ones(void **state)
{
	assert_true(reads("help"));
	assert_int_equal(request.verb, CTL_HELP);
	assert_true(reads("status format=json"));
	assert_int_equal(request.format, STATUS_JSON);
	assert_true(reads("status format=text"));
	assert_int_equal(request.format, STATUS_TEXT);
	assert_true(reads("events last=256 follow=yes"));
	assert_int_equal(request.last, 256);
	assert_true(request.follow);
	assert_true(reads("arm"));
	assert_int_equal(request.has, 0);
	assert_true(reads("disarm vm=3"));
	assert_int_equal(request.vm, 3);
	assert_int_equal(request.has, 1u << CTL_KEY_VM);
	assert_true(reads("allow vcpu=0x10 vm=0"));
	assert_int_equal(request.vcpu, 16);
	assert_true(reads("gp vcpu=1"));
	assert_true(reads("stop vcpu=1"));
	assert_int_equal(request.verb, CTL_STOP);
	assert_true(reads("window for=24h"));
	assert_int_equal(request.ms, 86400000);
	assert_true(reads("window for=86400000ms once=yes"));
	assert_int_equal(request.ms, 86400000);
	assert_true(request.once);
	assert_true(reads("window-end"));
	assert_int_equal(request.verb, CTL_WINDOW_END);
	assert_true(reads("mode to=report"));
	assert_int_equal(request.mode, MODE_REPORT);
	assert_true(reads("mode to=enforce"));
	assert_int_equal(request.mode, MODE_ENFORCE);
	assert_true(reads("policy size=594432 name=my policies/a=b.yaml"));
	assert_int_equal(request.size, 594432);
	assert_string_equal(request.name, "my policies/a=b.yaml");
	assert_true(reads("apply"));
	assert_true(reads("arrived state=0xffffffffffffffff rules=1 from=vm1"));
	assert_int_equal(request.verb, CTL_ARRIVED);
	assert_true(request.state == UINT64_MAX);
	assert_int_equal(request.rules, 1);
	assert_int_equal(request.clock, 0);
	assert_true(reads("arrived state=2 clock=3 rules=4 from=vm1"));
	assert_int_equal(request.clock, 3);
	assert_string_equal(request.name, "vm1");
}

static void bad_ones(void **state)
{
	static const char *const lines[] = {
		"", " ", "Status", "status ", " status", "status  format=json",
		"status format", "status format=", "status format=xml",
		"status format=json format=json", "status vm=0", "events last=257",
		"events last=-1", "events follow=1", "arm vm=", "arm vm=4294967295",
		"arm vm=99999999999999999999", "arm vm=010", "arm vm=1 vm=2",
		"arm vm=1x", "arm force=yes", "allow", "allow vm=0",
		"allow vcpu=", "window", "window for=0s", "window for=86400001ms",
		"window for=60000", "window for=0", "apply confirm=60000", "apply confirm=0ms",
		"window for=1d", "window once=yes", "mode", "mode to=",
		"mode to=off", "policy", "policy name=x", "policy size=0",
		"arrived state=1 rules=1", "arrived state=1 from=vm1",
		"arrived rules=1 from=vm1", "arrived state=0 rules=1 from=vm1",
		"arrived state=1 rules=0x10000000000000000 from=vm1",
		"arrived state=1 rules=1 from=", "arrived state=1 rules=1 from=../x",
		"arrived state=1 rules=1 name=vm1",
		"policy size=594433", "policy size=1 name=", "apply now=yes",
		"status\tformat=json", "status\r", "\x7f", "arm\x80",
		"arm vm=\xc3\xa4", "=", "a=b", "help help",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (reads(lines[i]))
			fail_msg("'%s' was read", lines[i]);
		assert_true(strlen(error) > 5);
		for (const char *c = error; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
	}
}

/* The message about a mistake names it and what is possible. */
static void names_the_mistake(void **state)
{
	assert_false(reads("arm vcpu=1"));
	assert_string_equal(error, "arm has no key 'vcpu'");
	assert_false(reads("reboot"));
	assert_string_equal(error,
			    "there is no request 'reboot': 'help' lists them");
	assert_false(reads("allow vm=1"));
	assert_string_equal(error, "allow needs vcpu=");
	assert_false(reads("window for=1d"));
	assert_string_equal(error,
			    "for '1d': the units of time are ms, s, m (min) and h");
}

static void zeros_and_lengths(void **state)
{
	char line[CTL_LINE_MAX + 8];

	assert_false(ctl_request_read(&request, "arm\0vm=1", 8, error));
	assert_non_null(strstr(error, "0x00"));
	memset(line, 'a', sizeof(line));
	assert_false(ctl_request_read(&request, line, CTL_LINE_MAX, error));
	assert_false(ctl_request_read(&request, line, CTL_LINE_MAX - 1, error));
	/* A name that is too long is cut, not refused: it is for people only. */
	memcpy(line, "policy size=1 name=", 19);
	assert_true(ctl_request_read(&request, line, CTL_LINE_MAX - 1, error));
	assert_int_equal(strlen(request.name), POLICY_MAX_SOURCE - 1);
}

/* Every line of `help` is about a request that exists. */
static void help_is_complete(void **state)
{
	char word[64];
	unsigned int n;

	for (n = 0; ctl_help_line(n); n++) {
		assert_int_equal(sscanf(ctl_help_line(n), "%63[a-z-]", word), 1);
		assert_string_equal(word, ctl_verb_names[n]);
	}
	assert_int_equal(n, CTL_VERB_MAX);
	assert_null(ctl_help_line(n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(names_the_mistake),
		cmocka_unit_test(zeros_and_lengths),
		cmocka_unit_test(help_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
