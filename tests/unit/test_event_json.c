// SPDX-License-Identifier: GPL-2.0-only
/* event_json.c: the exact lines, and events that a compromised VMM makes up. */
#include "event_scene.h"

static void test_violation(void **state)
{
	struct regpin_event event = violation();

	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
	event.has_rip = 1;
	event.rip = 0xffffffff81000000;
	event.cpl = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rip\":\"0xffffffff81000000\",\"cpl\":0,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
}

static void test_read(void **state)
{
	struct regpin_event event = violation();

	event.write = 0;
	event.index = 0xdeadbeef;
	event.bits = UINT64_MAX;
	event.rule = 1;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xdeadbeef\",\"index\":\"0xdeadbeef\",\"access\":\"read\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
	event.action = REGPIN_DROP;
	event.value = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xdeadbeef\",\"index\":\"0xdeadbeef\",\"access\":\"read\",\"value\":\"0x0\",\"rule\":\"deny\",\"where\":\"policies/linux.yaml:20:5\",\"verdict\":\"drop\",\"action\":\"drop\"}\n");
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
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"rule\":\"default\",\"where\":\"policies/linux.yaml:2:1\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
	event.rule = 4;
	event.action = REGPIN_REPORT;
	event.unread = REGPIN_UNREAD_VALUE;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"rule\":\"unknown\",\"where\":\"policies/linux.yaml:3:1\",\"verdict\":\"report\",\"action\":\"report\"}\n");
	event.action = REGPIN_DROP;
	event.unread = 0;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"MSR 0xffffffff\",\"index\":\"0xffffffff\",\"access\":\"read\",\"value\":\"0x0\",\"rule\":\"unknown\",\"where\":\"policies/linux.yaml:3:1\",\"verdict\":\"drop\",\"action\":\"drop\"}\n");
}

/* A value that was not read is not stated. */
static void test_unread(void **state)
{
	struct regpin_event event = violation();
	struct limit_sum sum;

	event.unread = REGPIN_UNREAD_OLD;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
	event.unread |= REGPIN_UNREAD_VALUE;
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
	sum = (struct limit_sum){ .event = event, .count = 5,
				  .first = TIME - 1000000000 };
	expect_sum(&sum, "\"vcpu\":1,\"of\":\"violation\",\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"new\":\"0x501\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"gp\",\"action\":\"gp\",\"count\":5");
	event.type = REGPIN_EVENT_DETECTED;
	event.action = REGPIN_REPORT;
	event.unread |= REGPIN_UNREAD_NEW;
	event.detail = 7;
	expect(&event, HEAD "\"detected\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"bits\":[\"NXE\"],\"window_us\":7,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"reaction\":\"report\",\"action\":\"report\"}\n");
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
		snprintf(expected, sizeof(expected), "\"cause\":\"%s\",",
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
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"verdict\":\"pause\",\"action\":\"pause\"}\n");
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
	expect(&event, HEAD "\"answered\",\"vm\":0,\"vcpu\":2,\"answer\":\"allow\",\"action\":\"allow\"}\n");
	event.action = REGPIN_GP;
	expect(&event, HEAD "\"answered\",\"vm\":0,\"vcpu\":2,\"answer\":\"gp\",\"action\":\"gp\"}\n");
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
	expect(&event, HEAD "\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"LSTAR\",\"index\":\"0xc0000082\",\"access\":\"write\",\"lacks_of\":\"CR4\",\"lacks\":[\"SMEP\",\"SMAP\"],\"old\":\"0x0\",\"new\":\"0xffffffff82000000\",\"value\":\"0x0\",\"rule\":\"require\",\"where\":\"policies/linux.yaml:30:5\",\"verdict\":\"gp\",\"action\":\"gp\"}\n");
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

	expect(&event, HEAD "\"detected\",\"vm\":0,\"vcpu\":1,\"register\":\"CR0\",\"bits\":[\"WP\"],\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"value\":\"0x80050033\",\"window_us\":10234,\"rule\":\"sticky\",\"where\":\"policies/linux.yaml:12:5\",\"reaction\":\"restore\",\"action\":\"restore\"}\n");
	event.action = REGPIN_REPORT;
	event.detail = UINT32_MAX;
	assert_true(event_json(buf, &event, &policy) > 0);
	assert_non_null(strstr(buf, "\"found\":\"policy\","));
	assert_null(strstr(buf, "window_us"));
	assert_non_null(strstr(buf, "\"reaction\":\"report\",\"action\":\"report\","));
}

static void test_init_and_deadline(void **state)
{
	struct regpin_event event = {
		.time = TIME, .type = REGPIN_EVENT_INIT, .vcpu = 1,
		.old_value = 0x3706f0, .new_value = 0x80050033, .value = 0xd01,
		.rule = REGPIN_NO_RULE, .action = REGPIN_ALLOW,
	};

	expect(&event, HEAD "\"init\",\"vm\":0,\"vcpu\":1,\"cr0\":\"0x80050033\",\"cr4\":\"0x3706f0\",\"efer\":\"0xd01\",\"reaction\":\"allow\",\"action\":\"allow\"}\n");
	event.type = REGPIN_EVENT_DEADLINE;
	event.action = REGPIN_PAUSE;
	event.detail = 2003;
	expect(&event, HEAD "\"deadline\",\"vm\":0,\"vcpu\":1,\"after_ms\":2003,\"reaction\":\"pause\",\"action\":\"pause\"}\n");
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
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
