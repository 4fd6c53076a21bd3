/* SPDX-License-Identifier: GPL-2.0-only */
/* Events, and the lines of JSON that describe them. */
#ifndef REGPIN_TESTS_UNIT_EVENT_SCENE_H
#define REGPIN_TESTS_UNIT_EVENT_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/event_json.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "event/event_severity.h"
#include "event/event_sum_json.h"
#include "lib/policy/policy.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"

static struct regpin_policy policy = {
	.nr_rules = 5,
	.source = "policies/linux.yaml",
	.rules = {
		{ .mask = EFER_NXE, .index = MSR_EFER, .count = 1, .line = 12,
		  .column = 5, .kind = REGPIN_MSR, .type = RULE_STICKY,
		  .action = REGPIN_GP, .access = ACCESS_WRITE },
		{ .mask = UINT64_MAX, .index = 0x1234, .count = 4, .line = 20,
		  .column = 5, .kind = REGPIN_MSR, .type = RULE_DENY,
		  .action = REGPIN_GP, .access = ACCESS_READ },
		{ .mask = 1 << 20 | 1 << 21, .count = 1, .line = 30,
		  .column = 5, .kind = REGPIN_CR4, .type = RULE_REQUIRE,
		  .action = REGPIN_GP, .access = ACCESS_WRITE },
		{ .mask = UINT64_MAX, .line = 2, .column = 1,
		  .kind = REGPIN_MSR, .type = RULE_DEFAULT,
		  .action = REGPIN_GP, .access = ACCESS_READ },
		{ .mask = UINT64_MAX, .line = 3, .column = 1,
		  .kind = REGPIN_MSR, .type = RULE_UNKNOWN,
		  .action = REGPIN_REPORT,
		  .access = ACCESS_READ | ACCESS_WRITE },
	},
};

/* 2026-11-21T22:43:23.123456789Z */
#define TIME	1795301003123456789ull
#define HEAD	"{\"time\":\"2026-11-21T22:43:23.123456789Z\",\"event\":"

static inline struct regpin_event violation(void)
{
	return (struct regpin_event){
		.time = TIME, .type = REGPIN_EVENT_VIOLATION, .vcpu = 1,
		.kind = REGPIN_MSR, .index = MSR_EFER, .write = 1,
		.bits = EFER_NXE, .old_value = 0xd01, .new_value = 0x501,
		.value = 0xd01, .rule = 0, .action = REGPIN_GP,
	};
}

static inline void expect(const struct regpin_event *event, const char *line)
{
	char buf[EVENT_LINE_MAX], whole[EVENT_LINE_MAX];
	size_t len = event_json(buf, event, &policy);

	/* @line ends with "}\n". */
	snprintf(whole, sizeof(whole), "%.*s,\"severity\":\"%s\"}\n",
		 (int)strlen(line) - 2, line, event_severity(event));
	assert_string_equal(buf, whole);
	assert_int_equal(len, strlen(whole));
}

#define TIMES	",\"first\":\"2026-11-21T22:43:22.123456789Z\",\"last\":\"2026-11-21T22:43:23.123456789Z\""
#define SEVERITY(of)	",\"severity\":\"" of "\"}\n"

static inline void expect_sum(const struct limit_sum *sum, const char *rest)
{
	char buf[EVENT_LINE_MAX], line[EVENT_LINE_MAX];
	size_t len = event_sum_json(buf, "repeated", sum, false, &policy, TIME);

	snprintf(line, sizeof(line), HEAD "\"repeated\",\"vm\":0,%s" TIMES SEVERITY("%s"), rest,
		 sum->many_actions ? "alert" : event_severity(&sum->event));
	assert_string_equal(buf, line);
	assert_int_equal(len, strlen(line));
}

#endif
