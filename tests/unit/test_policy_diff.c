// SPDX-License-Identifier: GPL-2.0-only
/* policy_diff.c: which differences loosen, tighten, or only change a policy. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "build_policy.h"
#include "lib/policy/registers.h"
#include "explain/explain_name.h"
#include "policy/policy_diff.h"
#include "policy/policy_diff_text.h"

static struct policy_diff diff;
static struct regpin_policy *from, *to;

static int begin(void **state)
{
	from = new_policy(ARM_SYSCALL_ENTRY);
	to = new_policy(ARM_SYSCALL_ENTRY);
	return 0;
}

static int end(void **state)
{
	policy_diff_free(&diff);
	free(from);
	free(to);
	return 0;
}

static void compare(const struct regpin_policy *a,
		    const struct regpin_policy *b, struct policy_diff *to_fill)
{
	policy_diff_free(to_fill);
	assert_int_equal(policy_diff(a, b, to_fill), 0);
}

/* Expects these texts of changes, in this order; NULL ends the list. */
static void expect(const char *const *texts)
{
	char buf[512];
	unsigned int n = 0;

	compare(from, to, &diff);
	for (; texts[n]; n++) {
		assert_true(n < diff.nr);
		assert_string_equal(policy_change_text(buf, sizeof(buf),
						       &diff.list[n]),
				    texts[n]);
	}
	assert_int_equal(diff.nr, n);
}

#define EXPECT(...)	expect((const char *const[]){ __VA_ARGS__, NULL })
#define EXPECT_NONE()	expect((const char *const[]){ NULL })

static struct rule *last(struct regpin_policy *policy)
{
	return &policy->rules[policy->nr_rules - 1];
}

static void the_same(void **state)
{
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	add_deny(from, 0x100, 50, ACCESS_WRITE, REGPIN_GP);
	/* The same policy, written differently. */
	add_deny(to, 0x100, 20, ACCESS_WRITE, REGPIN_GP);
	add_deny(to, 0x114, 30, ACCESS_WRITE, REGPIN_GP);
	add_pin(to, RULE_STICKY, MSR_EFER, EFER_SCE, REGPIN_GP);
	add_pin(to, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	EXPECT_NONE();
}

static void bits(void **state)
{
	add_rule(from, RULE_STICKY, REGPIN_CR0, 0, 1u << 16 | 1, REGPIN_GP);
	add_rule(to, RULE_STICKY, REGPIN_CR0, 0, 1u << 16 | 1u << 31,
		 REGPIN_GP);
	EXPECT("loosens: CR0 PE: clearing: gp -> free",
	       "tightens: CR0 PG: clearing: free -> gp");
	assert_int_equal(diff.counts[DIFF_LOOSENS], 1);
	assert_int_equal(diff.counts[DIFF_TIGHTENS], 1);
}

/* frozen is sticky and never, so to replace one of them by it only tightens. */
static void frozen(void **state)
{
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(to, RULE_FROZEN, MSR_EFER, EFER_NXE, REGPIN_GP);
	EXPECT("tightens: EFER NXE: setting: free -> gp");
}

static void actions(void **state)
{
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(to, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_REPORT);
	EXPECT("loosens: EFER NXE: clearing: gp -> report");
	last(to)->action = REGPIN_STOP;
	EXPECT("changes: EFER NXE: clearing: gp -> stop");
	last(from)->action = REGPIN_REPORT;
	EXPECT("tightens: EFER NXE: clearing: report -> stop");
	/* The strictest of several rules decides. */
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_STOP);
	EXPECT("loosens: EFER SCE: clearing: stop -> free");
}

static void detection(void **state)
{
	add_rule(from, RULE_STICKY, REGPIN_CR4, 0, 1u << 20, REGPIN_GP);
	add_rule(to, RULE_STICKY, REGPIN_CR4, 0, 1u << 20, REGPIN_GP);
	last(to)->flags = RULE_OPTIONAL | RULE_DETECT;
	EXPECT("loosens: CR4 SMEP: clearing: gp -> detected");
	last(from)->action = REGPIN_REPORT;
	EXPECT("tightens: CR4 SMEP: clearing: report -> detected");
}

static void whole_registers(void **state)
{
	add_pin(from, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(from, RULE_UNIFORM, MSR_STAR, ALL, REGPIN_GP);
	add_pin(to, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_GP);
	add_rule(to, RULE_REQUIRE, REGPIN_CR0, 0, 1u << 16, REGPIN_GP);
	EXPECT("loosens: STAR, LSTAR: another value than the first vCPU's: gp -> free",
	       "tightens: CR0 WP: starting without: free -> gp",
	       "tightens: LSTAR: a write after the set-up: free -> gp");
}

static void defaults(void **state)
{
	add_deny(from, 0x10, 1, ACCESS_WRITE, REGPIN_GP);
	add_deny(to, 0x10, 1, ACCESS_WRITE, REGPIN_GP);
	add_allow(to, 0x20, 2, ACCESS_READ);
	add_default(to, ACCESS_READ | ACCESS_WRITE, REGPIN_DROP);
	EXPECT("tightens: reads of MSRs without a rule: free -> drop",
	       "tightens: writes of MSRs without a rule: free -> drop",
	       "tightens: TSC: reads: free -> drop",
	       "tightens: MSRs 0x20-0x21: writes: free -> drop");
	/* An allowed MSR is no longer allowed, the action changes; then the reverse. */
	add_allow(from, 0x20, 4, ACCESS_READ);
	add_default(from, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_answer(to, 0x30, 1);
	EXPECT("loosens: MSR 0x30: reads: gp -> free",
	       "tightens: MSRs 0x22-0x23: reads: free -> drop",
	       "tightens: MSR 0x30: the value that reads return: the register -> 0x1",
	       "changes: reads of MSRs without a rule: gp -> drop",
	       "changes: writes of MSRs without a rule: gp -> drop",
	       "changes: TSC: reads: gp -> drop",
	       "changes: MSRs 0x20-0x23: writes: gp -> drop",
	       "changes: MSR 0x30: writes: gp -> drop");
}

static void refused(void **state)
{
	add_wide(to, RULE_UNKNOWN, REGPIN_REPORT, 0, 0);
	EXPECT("tightens: accesses to MSRs that KVM does not know: gp -> report");
	add_wide(from, RULE_UNKNOWN, REGPIN_DROP, 0, 0);
	add_wide(to, RULE_INVALID, REGPIN_GP, RULE_ANSWERS, 7);
	EXPECT("changes: accesses to MSRs that KVM does not know: drop -> report",
	       "changes: accesses that KVM refuses: gp -> gp, reads give 0x7");
	add_wide(from, RULE_INVALID, REGPIN_GP, RULE_ANSWERS, 8);
	EXPECT("changes: accesses to MSRs that KVM does not know: drop -> report",
	       "changes: accesses that KVM refuses: gp, reads give 0x8 -> gp, reads give 0x7");
}

/* A change that holds only for some guests has their condition, and appears once. */
static void conditions(void **state)
{
	struct when amd = { .vendor = "AuthenticAMD",
			    .families = { { 0x17, 0x17 }, { 0x19, 0x1a } },
			    .nr_families = 2 };

	to->nr_whens = 1;
	to->whens[0] = amd;
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(to, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	last(to)->when = 1;
	EXPECT("loosens: EFER NXE: clearing: gp -> free",
	       "tightens: EFER SCE (when vendor AuthenticAMD, family 0x17|0x19-0x1a): clearing: free -> gp");
	from->nr_whens = 2;
	from->whens[0] = (struct when){ .models = { { 1, 1 } }, .nr_models = 1 };
	from->whens[1] = amd;
	last(from)->when = 2;
	EXPECT("tightens: EFER SCE (when vendor AuthenticAMD, family 0x17|0x19-0x1a): clearing: free -> gp");
	last(to)->when = 0;
	EXPECT("tightens: EFER SCE NXE: clearing: free -> gp");
	last(to)->when = 1;
	last(from)->when = 1;
	EXPECT("loosens: EFER NXE (when model 0x1): clearing: gp -> free",
	       "tightens: EFER SCE NXE (when vendor AuthenticAMD, family 0x17|0x19-0x1a): clearing: free -> gp");
}

static void ranges(void **state)
{
	add_deny(from, 0x100, 0x100, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_deny(to, 0x140, 0x10, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_deny(to, 0x150, 0xb0, ACCESS_WRITE, REGPIN_DROP);
	EXPECT("loosens: MSRs 0x100-0x13f: reads: gp -> free",
	       "loosens: MSRs 0x100-0x13f: writes: gp -> free",
	       "loosens: MSRs 0x150-0x1ff: reads: gp -> free",
	       "changes: MSRs 0x150-0x1ff: writes: gp -> drop");
}

/* The last MSR that a rule can name: nothing wraps. */
static void the_end_of_the_space(void **state)
{
	add_deny(from, 0xfffffff0, 15, ACCESS_READ, REGPIN_GP);
	EXPECT("loosens: MSRs 0xfffffff0-0xfffffffe: reads: gp -> free");
}

static void values(void **state)
{
	add_deny(from, 0x17, 1, ACCESS_READ, REGPIN_GP);
	last(from)->type = RULE_VALUE;
	last(from)->value = 1;
	add_deny(to, 0x17, 1, ACCESS_READ, REGPIN_GP);
	last(to)->type = RULE_VALUE;
	last(to)->value = 0x20;
	EXPECT("changes: IA32_PLATFORM_ID: the value that reads return: 0x1 -> 0x20");
	to->nr_rules = 0;
	EXPECT("loosens: IA32_PLATFORM_ID: the value that reads return: 0x1 -> the register");
}

static void reports(void **state)
{
	add_report(to, REGPIN_MSR, MSR_LSTAR, ACCESS_READ | ACCESS_WRITE);
	EXPECT("tightens: LSTAR: reads: free -> report",
	       "tightens: LSTAR: writes: free -> report");
	add_deny(from, MSR_LSTAR, 1, ACCESS_WRITE, REGPIN_REPORT);
	EXPECT("tightens: LSTAR: reads: free -> report");
	to->nr_rules = from->nr_rules = 0;
	add_report(from, REGPIN_XCR0, 0, ACCESS_WRITE);
	last(from)->mask = 2;
	EXPECT("loosens: XCR0 SSE: clearing: report -> free",
	       "loosens: XCR0 SSE: setting: report -> free");
}

static void settings(void **state)
{
	const struct settings defaults = SETTINGS_DEFAULT;

	from->settings = to->settings = defaults;
	/* A policy that only reports tolerated it before. */
	to->flags = POLICY_ACCEPT_SMM;
	EXPECT("loosens: System-Management Mode: tolerated -> accepted");
	add_pin(from, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(to, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	to->arming = ARM_REQUEST;
	to->settings.request_msr = 0x4b4d5300;
	to->flags = POLICY_ACCEPT_SMM;
	from->flags = POLICY_ACCEPT_S3;
	to->settings.deadline_ms = 0;
	to->settings.deadline_action = REGPIN_REPORT;
	to->settings.detect_ms = 5;
	to->settings.init_action = REGPIN_STOP;
	to->settings.unarmed_ms = 0;
	EXPECT("loosens: arming: syscall-entry -> request",
	       "loosens: System-Management Mode: refused -> accepted",
	       "loosens: the deadline of unarmed vCPUs: 2000 ms -> none",
	       "loosens: a missed deadline: pause -> report",
	       "tightens: S3: accepted -> refused",
	       "tightens: the interval of polling: 10 ms -> 5 ms",
	       "tightens: INIT of an armed vCPU: allow -> stop",
	       "changes: the MSR by which the guest requests arming: none -> 0x4b4d5300",
	       "changes: the time until an unarmed VM is reported: 60000 ms -> none");
}

/* Any number of changes is listed completely, and those that loosen come first. */
static void many(void **state)
{
	const uint32_t half = POLICY_MAX_RULES / 2;
	unsigned int last_class = DIFF_LOOSENS;

	for (uint32_t i = 0; i < POLICY_MAX_RULES; i++)
		add_deny(i & 1 ? from : to, 0x1000 + 2 * i, 1, ACCESS_READ,
			 REGPIN_GP);
	add_pin(from, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	compare(from, to, &diff);
	assert_int_equal(diff.counts[DIFF_LOOSENS], half + 1);
	assert_int_equal(diff.counts[DIFF_TIGHTENS], half);
	assert_int_equal(diff.nr, POLICY_MAX_RULES + 1);
	for (uint32_t i = 0; i < diff.nr; i++) {
		assert_true(diff.list[i].class >= last_class);
		last_class = diff.list[i].class;
	}
	assert_int_equal(diff.list[half].index, MSR_LSTAR);
	for (uint32_t i = 0; i < half; i++) {
		assert_int_equal(diff.list[i].index, 0x1002 + 4 * i);
		assert_int_equal(diff.list[half + 1 + i].index, 0x1000 + 4 * i);
	}
}

/* Few MSRs are named one by one if each has a name, in the same words as in explain. */
static void range_names(void **state)
{
	static const struct {
		uint32_t index, count;
		const char *text;
	} cases[] = {
		{ 0xc0000100, 3, "loosens: FS_BASE, GS_BASE, KERNEL_GS_BASE: writes: gp -> free" },
		{ 0xc0000080, 1, "loosens: EFER: writes: gp -> free" },
		{ 0x3000, 3, "loosens: MSRs 0x3000-0x3002: writes: gp -> free" },
		{ 0x800, 0x100, "loosens: MSRs 0x800-0x8ff: writes: gp -> free" },
		{ 0xfffffffe, 2, "loosens: MSRs 0xfffffffe-0xffffffff: writes: gp -> free" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_change change = {
			.index = cases[i].index, .count = cases[i].count, .kind = REGPIN_MSR,
			.what = DIFF_WRITE, .from = REGPIN_GP, .class = DIFF_LOOSENS,
		};
		const struct subject subject = { REGPIN_MSR, change.index, change.count };
		char buf[512], name[256];

		assert_string_equal(policy_change_text(buf, sizeof(buf), &change), cases[i].text);
		explain_name(name, sizeof(name), &subject);
		if (change.count > 1)
			assert_non_null(strstr(buf, name));
	}
}

/* 64 bits with the longest names: the last name is readable. */
static void long_lines(void **state)
{
	char buf[8192];

	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];
		struct policy_change change = {
			.index = reg->index, .count = 1, .kind = reg->kind,
			.what = DIFF_CLEAR, .from = REGPIN_GP,
			.class = DIFF_LOOSENS, .bits = ~0ull ^ 1ull << 62,
		};

		policy_change_text(buf, sizeof(buf), &change);
		assert_non_null(strstr(buf, ": clearing: gp -> free"));
		for (unsigned int b = 0; b < reg->nbits; b++) {
			const struct regpin_bit *bit = &regpin_bits[reg->bits + b];

			if (bit->lo != 62)
				assert_non_null(strstr(buf, bit->name));
		}
	}
}

static void bit_names(void **state)
{
	char buf[512];

	assert_string_equal(register_bits_text(buf, sizeof(buf), REGPIN_MSR,
					       MSR_EFER, EFER_SCE | EFER_NXE),
			    "SCE NXE");
	assert_string_equal(register_bits_text(buf, sizeof(buf), REGPIN_MSR,
					       0x12345, 0x8000000000000017),
			    "0-2 4 63");
	assert_string_equal(register_bits_text(buf, 8, REGPIN_MSR, 0x12345,
					       0x5555555555555555), "0 2 4 6");
}

/* For any policies, a change in one direction is the opposite of that in the other. */
static void symmetric(void **state)
{
	static struct policy_diff back;
	uint64_t seed = 11;

	for (int round = 0; round < 300; round++) {
		from->nr_rules = to->nr_rules = 0;
		for (int i = 0; i < 8; i++) {
			struct regpin_policy *policy = i & 1 ? from : to;

			if (random64(&seed) & 1)
				add_pin(policy, random64(&seed) % RULE_DENY,
					MSR_EFER + random64(&seed) % 3,
					(random64(&seed) & 0xff00ff) | 1,
					1 + random64(&seed) % REGPIN_STOP);
			else
				add_deny(policy, random64(&seed) % 64,
					 1 + random64(&seed) % 64,
					 1 + random64(&seed) % 3,
					 1 + random64(&seed) % REGPIN_STOP);
		}
		compare(from, to, &diff);
		compare(to, from, &back);
		assert_int_equal(diff.counts[DIFF_LOOSENS],
				 back.counts[DIFF_TIGHTENS]);
		assert_int_equal(diff.counts[DIFF_TIGHTENS],
				 back.counts[DIFF_LOOSENS]);
		assert_int_equal(diff.counts[DIFF_CHANGES],
				 back.counts[DIFF_CHANGES]);
		compare(to, to, &back);
		assert_int_equal(back.nr, 0);
	}
	policy_diff_free(&back);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same), TEST(bits), TEST(frozen), TEST(actions),
		TEST(detection), TEST(whole_registers), TEST(ranges),
		TEST(defaults), TEST(refused), TEST(conditions),
		TEST(the_end_of_the_space), TEST(values), TEST(reports),
		TEST(settings), TEST(many), TEST(range_names), TEST(long_lines), TEST(bit_names),
		TEST(symmetric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
