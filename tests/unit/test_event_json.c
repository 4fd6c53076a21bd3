// SPDX-License-Identifier: GPL-2.0-only
/* event_json.c: the exact lines, and events that a compromised VMM makes up. */
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

static struct regpin_event violation(void)
{
	return (struct regpin_event){
		.time = TIME, .type = REGPIN_EVENT_VIOLATION, .vcpu = 1,
		.kind = REGPIN_MSR, .index = MSR_EFER, .write = 1,
		.bits = EFER_NXE, .old_value = 0xd01, .new_value = 0x501,
		.value = 0xd01, .rule = 0, .action = REGPIN_GP,
	};
}

static void expect(const struct regpin_event *event, const char *line)
{
	char buf[EVENT_LINE_MAX];
	size_t len = event_json(buf, event, &policy);

	assert_string_equal(buf, line);
	assert_int_equal(len, strlen(line));
}

static void test_violation(void **state)
{
	struct regpin_event event = violation();

	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\"}\n");
	event.has_rip = 1;
	event.rip = 0xffffffff81000000;
	event.cpl = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rip\":\"0xffffffff81000000\",\"cpl\":0,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\"}\n");
}

static void test_read(void **state)
{
	struct regpin_event event = violation();

	event.write = 0;
	event.index = 0xdeadbeef;
	event.bits = UINT64_MAX;
	event.rule = 1;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xdeadbeef\",\"index\":\"0xdeadbeef\",\"access\":\"read\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"verdict\":\"gp\"}\n");
	event.action = REGPIN_DROP;
	event.value = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xdeadbeef\",\"index\":\"0xdeadbeef\",\"access\":\"read\",\"value\":\"0x0\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"verdict\":\"drop\"}\n");
}

/* A rule of the whole policy. An MSR that KVM does not know has no value to be read. */
static void test_wide(void **state)
{
	struct regpin_event event = violation();

	event.write = 0;
	event.index = 0xffffffff;
	event.bits = UINT64_MAX;
	event.value = 0;
	event.rule = 3;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\"}\n");
	event.rule = 4;
	event.action = REGPIN_REPORT;
	event.unread = REGPIN_UNREAD_VALUE;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"rule\":\"unknown\",\"where\":\"policies/linux.yaml:3:1\",\"verdict\":\"report\"}\n");
	event.action = REGPIN_DROP;
	event.unread = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"value\":\"0x0\",\"rule\":\"unknown\",\"where\":\"policies/linux.yaml:3:1\",\"verdict\":\"drop\"}\n");
}

#define FIRST	",\"first\":\"2026-11-21T22:43:22.123456789Z\",\"last\":\"2026-11-21T22:43:23.123456789Z\"}\n"

static void expect_sum(const struct limit_sum *sum, const char *rest)
{
	char buf[EVENT_LINE_MAX], line[EVENT_LINE_MAX];
	size_t len = event_sum_json(buf, "repeated", sum, false, &policy, TIME);

	snprintf(line, sizeof(line), HEAD "\"repeated\",\"vm\":0,%s" FIRST, rest);
	assert_string_equal(buf, line);
	assert_int_equal(len, strlen(line));
}

/* A value that was not read is not stated. */
static void test_unread(void **state)
{
	struct regpin_event event = violation();
	struct limit_sum sum;

	event.unread = REGPIN_UNREAD_OLD;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\"}\n");
	event.unread |= REGPIN_UNREAD_VALUE;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\"}\n");
	sum = (struct limit_sum){ .event = event, .count = 5,
				  .first = TIME - 1000000000 };
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"count\":5");
	event.type = REGPIN_EVENT_DETECTED;
	event.action = REGPIN_REPORT;
	event.unread |= REGPIN_UNREAD_NEW;
	event.detail = 7;
	expect(&event, HEAD "\"detected\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"bits\":[\"NXE\"],\"window_us\":7,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"reaction\":\"report\"}\n");
}

static void test_bits_without_names(void **state)
{
	struct regpin_event event = violation();
	char buf[EVENT_LINE_MAX];

	event.bits = EFER_SCE | EFER_NXE | 1ull << 63 | 1ull << 40;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"bits\":[\"SCE\",\"NXE\",\"40\",\"63\"]"));
	event.index = 0xdeadbeef;
	event.bits = 5;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"bits\":[\"0\",\"2\"]"));
	event.bits = UINT64_MAX - 1;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, ",\"62\",\"63\"]"));
	event.bits = 0;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_null(strstr(buf, "\"bits\""));
	/* A field of several bits is listed once, in the order of its bits. */
	event.kind = REGPIN_MSR;
	event.index = 0x3a;
	event.bits = 1 << 9 | 1 << 8 | 1 << 3 | 1 << 0;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"bits\":[\"LOCK\",\"3\",\"SENTER_LOCAL\"]"));
}

static void test_control_register_and_no_rule(void **state)
{
	struct regpin_event event = violation();
	char buf[EVENT_LINE_MAX];

	event.kind = REGPIN_CR4;
	event.index = 0;
	event.rule = REGPIN_NO_RULE;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"register\":\"CR4\",\"access\":\"write\""));
	assert_null(strstr(buf, "\"index\""));
	assert_null(strstr(buf, "\"where\""));
	assert_null(strstr(buf, "\"rule\""));
	event.rule = policy.nr_rules;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_null(strstr(buf, "\"where\""));
	assert_true(event_json(buf, &event, NULL) > 0);
}

static void test_families(void **state)
{
	char name[REGISTER_NAME_MAX];

	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];
		struct register_named named;

		event_register_name(name, reg->kind, register_last(reg));
		/* The bits of an event can be copied into a policy. */
		assert_true(register_by_name(name, &named));
		assert_ptr_equal(named.reg, reg);
		assert_int_equal(named.index, register_last(reg));
		assert_false(named.whole);
	}
}

static void test_vmm_write(void **state)
{
	struct regpin_event event = violation();

	event.type = REGPIN_EVENT_VMM_WRITE;
	event.has_rip = 1;
	event.value = 0x501;
	expect(&event, HEAD "\"vmm-write\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0x501\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\"}\n");
}

static void test_life_cycle(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_ARMED, .vm = 1, .vcpu = 3,
		.detail = REGPIN_BY_SYSCALL_ENTRY,
	};

	expect(&event, HEAD "\"armed\",\"vm\":1,\"vcpu\":3,\"cause\":\"syscall-entry\"}\n");
	event.type = REGPIN_EVENT_DISARMED;
	event.detail = REGPIN_BY_WINDOW;
	expect(&event, HEAD "\"disarmed\",\"vm\":1,\"vcpu\":3,\"cause\":\"window\"}\n");
	event.type = REGPIN_EVENT_RESET;
	expect(&event, HEAD "\"reset\",\"vm\":1,\"vcpu\":3}\n");
	event.type = REGPIN_EVENT_ATTACHED;
	event.vcpu = REGPIN_NO_VCPU;
	expect(&event, HEAD "\"attached\",\"vm\":1}\n");
	event.type = REGPIN_EVENT_POLICY;
	expect(&event, HEAD "\"policy\",\"vm\":1}\n");
}

static void test_causes(void **state)
{
	static const char *const names[REGPIN_CAUSE_MAX] = {
		"start", "syscall-entry", "request", "operator", "load",
		"window", "init",
	};
	struct regpin_event event = { .type = REGPIN_EVENT_ARMED };
	char buf[EVENT_LINE_MAX], expected[64];

	for (uint32_t i = 0; i < REGPIN_CAUSE_MAX; i++) {
		event.detail = i;
		assert_true(event_json(buf, &event, &policy) > 0);
		snprintf(expected, sizeof(expected), "\"cause\":\"%s\"}",
			 names[i]);
		assert_non_null(strstr(buf, expected));
	}
}

/* A held vCPU has not read anything yet, and one of a stopped VM never will. */
static void test_held_and_stopped(void **state)
{
	struct regpin_event event = violation();
	char buf[EVENT_LINE_MAX];

	event.action = REGPIN_PAUSE;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"pause\"}\n");
	event.write = 0;
	for (uint8_t i = REGPIN_PAUSE; i <= REGPIN_STOP; i++) {
		event.action = i;
		assert_true(event_json(buf, &event, &policy) > 0);
		assert_null(strstr(buf, "\"value\""));
		assert_non_null(strstr(buf, regpin_action_names[i]));
	}
	event = (struct regpin_event){
		.time = TIME, .type = REGPIN_EVENT_ANSWERED, .vcpu = 2,
		.action = REGPIN_ALLOW,
	};
	expect(&event, HEAD "\"answered\",\"vm\":0,\"vcpu\":2,\"answer\":\"allow\"}\n");
	event.action = REGPIN_GP;
	expect(&event, HEAD "\"answered\",\"vm\":0,\"vcpu\":2,\"answer\":\"gp\"}\n");
}

/* The write that brings the missing bits to light is not itself the violation. */
static void test_require(void **state)
{
	struct regpin_event event = violation();

	event.index = MSR_LSTAR;
	event.rule = 2;
	event.bits = 1 << 20 | 1 << 21;
	event.old_value = event.value = 0;
	event.new_value = 0xffffffff82000000;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"LSTAR\",\"index\":\"0xc0000082\",\"access\":\"write\",\"lacks_of\":\"CR4\",\"lacks\":[\"SMEP\",\"SMAP\"],\"old\":\"0x0\",\"new\":\"0xffffffff82000000\",\"value\":\"0x0\",\"rule\":\"require\",\"where\":\"policies/linux.yaml:30:5\",\"verdict\":\"gp\"}\n");
}

static void test_detected(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_DETECTED, .vcpu = 1,
		.kind = REGPIN_CR0, .bits = 1 << 16, .old_value = 0x80050033,
		.new_value = 0x80040033, .value = 0x80050033, .rule = 0,
		.action = REGPIN_MASK, .detail = 10234, .write = 1,
	};
	char buf[EVENT_LINE_MAX];

	expect(&event, HEAD "\"detected\",\"vm\":0,\"vcpu\":1,\"register\":\"CR0\",\"bits\":[\"WP\"],\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"value\":\"0x80050033\",\"window_us\":10234,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"reaction\":\"restore\"}\n");
	event.action = REGPIN_REPORT;
	event.detail = UINT32_MAX;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"found\":\"policy\","));
	assert_null(strstr(buf, "window_us"));
	assert_non_null(strstr(buf, "\"reaction\":\"report\"}"));
}

static void test_init_and_deadline(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_INIT, .vcpu = 1,
		.old_value = 0x3706f0, .new_value = 0x80050033, .value = 0xd01,
		.rule = REGPIN_NO_RULE, .action = REGPIN_ALLOW,
	};

	expect(&event, HEAD "\"init\",\"vm\":0,\"vcpu\":1,\"cr0\":\"0x80050033\",\"cr4\":\"0x3706f0\",\"efer\":\"0xd01\",\"reaction\":\"allow\"}\n");
	event.type = REGPIN_EVENT_DEADLINE;
	event.action = REGPIN_PAUSE;
	event.detail = 2003;
	expect(&event, HEAD "\"deadline\",\"vm\":0,\"vcpu\":1,\"after_ms\":2003,\"reaction\":\"pause\"}\n");
}

static void test_shutdown(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_SHUTDOWN, .vcpu = 1,
		.rule = REGPIN_NO_RULE,
	};
	char buf[EVENT_LINE_MAX];

	expect(&event, HEAD "\"shutdown\",\"vm\":0,\"vcpu\":1,\"in\":\"guest\"}\n");
	event.detail = 1;
	expect(&event, HEAD "\"shutdown\",\"vm\":0,\"vcpu\":1,\"in\":\"smm\"}\n");
	event.detail = 2;
	assert_int_equal(event_json(buf, &event, &policy), 0);
}

static void test_settled(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_SETTLED, .vcpu = 1,
		.index = MSR_PAT, .write = 1, .old_value = 6, .new_value = 1,
		.value = 1, .rule = REGPIN_NO_RULE,
	};

	expect(&event, HEAD "\"settled\",\"vm\":0,\"vcpu\":1,\"register\":\"PAT\",\"index\":\"0x277\",\"old\":\"0x6\",\"value\":\"0x1\"}\n");
	event.detail = 2000;
	expect(&event, HEAD "\"settled\",\"vm\":0,\"vcpu\":1,\"after_ms\":2000}\n");
}

/* A sum of repeated events has their cause, their times and their number. */
static void test_repeated(void **state)
{
	struct limit_sum sum = {
		.event = violation(), .count = 5, .first = TIME - 1000000000,
	};
	char buf[EVENT_LINE_MAX];

	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"count\":5");
	sum.event.bits |= EFER_SCE;
	sum.many_vcpus = sum.many_actions = true;
	expect_sum(&sum, "\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"SCE\",\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"count\":5");
	sum.many_vcpus = sum.many_actions = false;
	sum.event.type = REGPIN_EVENT_DETECTED;
	sum.event.action = REGPIN_STOP;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"detected\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"bits\":[\"SCE\",\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"count\":5");
	sum.event.type = REGPIN_EVENT_INIT;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"init\",\"count\":5");
	sum.event.type = REGPIN_EVENT_DISARMED;
	sum.event.detail = REGPIN_BY_OPERATOR;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"disarmed\",\"cause\":\"operator\",\"count\":5");
	assert_true(event_sum_json(buf, "repeated", &sum, true, NULL, TIME) > 0);
	assert_string_equal(buf, HEAD "\"repeated\",\"count\":5" FIRST);
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
	sum_add(&sum, &event, true);
	sum_add(&sum, &event, true);
	sum.first -= 1000000000;
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"TSC\",\"index\":\"0x10\",\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\",\"count\":2");
	event.index = 0xc0000080;
	sum_add(&sum, &event, true);
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"indices\":[\"0x10\",\"0xc0000080\"],\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\",\"count\":3");
	for (uint32_t i = 0; i < 1000; i++) {
		event.index = 0x1000 + i;
		sum_add(&sum, &event, true);
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
	assert_string_equal(event_time(buf, 999999999),
			    "1970-01-01T00:00:00.999999999Z");
	assert_string_equal(event_time(buf, TIME),
			    "2026-11-21T22:43:23.123456789Z");
	assert_string_equal(event_time(buf, UINT64_MAX),
			    "2554-07-21T23:34:33.709551615Z");
}

static void test_notices(void **state)
{
	struct notice notice = {
		.time = TIME, .event = "dropped",
		.counts[0] = { "count", 17 },
	};
	const uint32_t vm = 0;
	char buf[EVENT_LINE_MAX];

	assert_true(notice_json(buf, &notice) > 0);
	assert_string_equal(buf, HEAD "\"dropped\",\"count\":17}\n");
	notice = (struct notice){
		.time = TIME, .event = "degraded", .text = "a \"reason\"",
		.policy = &policy, .rule = &policy.rules[1],
	};
	assert_true(notice_json(buf, &notice) > 0);
	assert_string_equal(buf, HEAD "\"degraded\",\"register\":\"MSRs 0x1234-0x1237\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"text\":\"a \\\"reason\\\"\"}\n");
	notice = (struct notice){
		.time = TIME, .event = "refused", .reason = "raw", .pid = 12,
		.text = "b",
	};
	assert_true(notice_json(buf, &notice) > 0);
	assert_string_equal(buf, HEAD "\"refused\",\"pid\":12,\"reason\":\"raw\",\"text\":\"b\"}\n");
	notice = (struct notice){
		.time = TIME, .event = "moved", .vm = &vm, .to = "target",
		.rules = "same", .pid = 12,
	};
	assert_true(notice_json(buf, &notice) > 0);
	assert_string_equal(buf, HEAD "\"moved\",\"vm\":0,\"to\":\"target\",\"policy\":\"same\",\"pid\":12}\n");
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
		cmocka_unit_test(test_violation),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_bits_without_names),
		cmocka_unit_test(test_control_register_and_no_rule),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_vmm_write),
		cmocka_unit_test(test_life_cycle),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_held_and_stopped),
		cmocka_unit_test(test_require),
		cmocka_unit_test(test_detected),
		cmocka_unit_test(test_init_and_deadline),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_repeated_indices),
		cmocka_unit_test(test_refused_and_failed),
		cmocka_unit_test(test_made_up_events),
		cmocka_unit_test(test_random_events),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_longest_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
