// SPDX-License-Identifier: GPL-2.0-only
/* The judge as a table: each row is one rule, one access and one verdict. */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/policy/registers.h"


#define TOP	(1ull << 63)

/* States of a vCPU. */
#define UNARMED	0u
#define ARMED	1u
#define DONE	2u	/* armed, set-up done */
#define KNOWN	4u	/* OR'ed in: the uniform value is known, and is 0x55 */

/**
 * struct row - a write of @new over @old, and the @bits of it that violate @type
 */
struct row {
	unsigned int type;
	uint64_t mask;
	unsigned int state;
	uint64_t old, new, bits;
};

static const struct row rows[] = {
	/* sticky: a bit that is 1 may not be cleared */
	{ RULE_STICKY, ALL, UNARMED, ALL, 0, 0 },
	{ RULE_STICKY, ALL, ARMED, ALL, 0, ALL },
	{ RULE_STICKY, ALL, DONE, ALL, 0, ALL },
	{ RULE_STICKY, ALL, DONE | KNOWN, ALL, 0, ALL },
	{ RULE_STICKY, ALL, ARMED, 0, ALL, 0 },
	{ RULE_STICKY, ALL, ARMED, ALL, ALL, 0 },
	{ RULE_STICKY, 1, ARMED, 1, 0, 1 },
	{ RULE_STICKY, 1, ARMED, 3, 1, 0 },
	{ RULE_STICKY, TOP, ARMED, TOP, 0, TOP },
	{ RULE_STICKY, TOP, ARMED, TOP, TOP | 1, 0 },
	{ RULE_STICKY, TOP | 1, ARMED, ALL, ALL >> 1, TOP },
	{ RULE_STICKY, 0xf0, ARMED, 0xa5, 0x5a, 0xa0 },
	{ RULE_STICKY, ~0xf0ull, ARMED, 0xa5, 0x5a, 0x05 },
	/* never: may not be set */
	{ RULE_NEVER, ALL, UNARMED, 0, ALL, 0 },
	{ RULE_NEVER, ALL, ARMED, 0, ALL, ALL },
	{ RULE_NEVER, ALL, ARMED, ALL, 0, 0 },
	{ RULE_NEVER, ALL, ARMED, ALL, ALL, 0 },
	{ RULE_NEVER, 1, ARMED, 0, 1, 1 },
	{ RULE_NEVER, TOP, DONE, 0, TOP, TOP },
	{ RULE_NEVER, TOP, DONE, 0, ALL >> 1, 0 },
	{ RULE_NEVER, 0xf0, ARMED, 0xa5, 0x5a, 0x50 },
	/* frozen: may not change */
	{ RULE_FROZEN, ALL, UNARMED, 1, 2, 0 },
	{ RULE_FROZEN, ALL, ARMED, 1, 2, 3 },
	{ RULE_FROZEN, ALL, ARMED, 7, 7, 0 },
	{ RULE_FROZEN, TOP | 1, ARMED, 0, ALL, TOP | 1 },
	{ RULE_FROZEN, TOP | 1, ARMED, 1, 1 ^ 6, 0 },
	/* once: open until the set-up is done */
	{ RULE_ONCE, ALL, UNARMED, 5, 6, 0 },
	{ RULE_ONCE, ALL, ARMED, 0, 6, 0 },
	{ RULE_ONCE, ALL, ARMED, 6, 6, 0 },
	{ RULE_ONCE, ALL, ARMED, 5, 6, ALL },
	{ RULE_ONCE, ALL, ARMED, 5, 0, ALL },
	{ RULE_ONCE, ALL, DONE, 0, 0, 0 },
	{ RULE_ONCE, ALL, DONE, 0, 6, ALL },
	{ RULE_ONCE, ALL, DONE, 6, 6, 0 },
	{ RULE_ONCE, ALL, DONE, 6, 0, ALL },
	/* uniform: applies to unarmed vCPUs, too */
	{ RULE_UNIFORM, ALL, UNARMED, 0, 5, 0 },
	{ RULE_UNIFORM, ALL, DONE, 1, 5, 0 },
	{ RULE_UNIFORM, ALL, UNARMED | KNOWN, 0, 5, ALL },
	{ RULE_UNIFORM, ALL, UNARMED | KNOWN, 0, 0x55, 0 },
	{ RULE_UNIFORM, ALL, ARMED | KNOWN, 0, 0x55, 0 },
	{ RULE_UNIFORM, ALL, ARMED | KNOWN, 7, 7, ALL },
	{ RULE_UNIFORM, ALL, DONE | KNOWN, 0x55, 0x54, ALL },
	/* deny: in every state */
	{ RULE_DENY, ALL, UNARMED, 0, 0, ALL },
	{ RULE_DENY, ALL, DONE | KNOWN, 1, 1, ALL },
};

static struct judge_state make_state(unsigned int bits, uint64_t once)
{
	return (struct judge_state){
		.armed = bits & (ARMED | DONE),
		.setup_done = bits & DONE,
		.once = once,
		.uniform_known = bits & KNOWN,
		.uniform = bits & KNOWN ? 0x55 : 0,
	};
}

static uint64_t value_after(const struct row *row, unsigned int action)
{
	if (!row->bits || action == REGPIN_REPORT)
		return row->new;
	if (action == REGPIN_MASK)
		return (row->new & ~row->bits) | (row->old & row->bits);
	return row->old;
}

static void check_row(const struct row *row, unsigned int kind,
		      unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct judge_state state = make_state(row->state, row->old);
	struct access access = { .kind = (uint8_t)kind, .write = true,
				 .index = kind == REGPIN_MSR ? 0x174 : 0,
				 .old_value = row->old,
				 .new_value = row->new };
	struct verdict verdict;

	add_rule(policy, row->type, kind, access.index, row->mask, action);
	judge(policy, &state, &access, &verdict);
	if (verdict.bits != row->bits)
		print_message("# row %td\n", row - rows);
	assert_int_equal(verdict.bits, row->bits);
	assert_int_equal(verdict.action, row->bits ? action : REGPIN_ALLOW);
	assert_ptr_equal(verdict.rule, row->bits ? policy->rules : NULL);
	assert_int_equal(verdict.value, value_after(row, action));
	assert_false(verdict.answered);
	free(policy);
}

static void test_rows(void **context)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned int action = REGPIN_REPORT;
		     action < REGPIN_ACTION_MAX; action++)
			check_row(&rows[i], REGPIN_MSR, action);
}

/* Bits of control registers are judged in the same way. */
static void test_control_registers(void **context)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned int kind = REGPIN_CR0; kind < REGPIN_KIND_MAX;
		     kind++)
			if (rows[i].type <= RULE_FROZEN)
				check_row(&rows[i], kind, REGPIN_GP);
}

/* Every single bit, in every position. */
static void test_each_bit(void **context)
{
	for (unsigned int i = 0; i < 64; i++) {
		uint64_t bit = 1ull << i;
		const struct row each[] = {
			{ RULE_STICKY, bit, ARMED, ALL, ~bit, bit },
			{ RULE_STICKY, ~bit, ARMED, ALL, ~bit, 0 },
			{ RULE_NEVER, bit, ARMED, 0, bit, bit },
			{ RULE_NEVER, ~bit, ARMED, 0, bit, 0 },
			{ RULE_FROZEN, bit, ARMED, bit, 0, bit },
			{ RULE_FROZEN, bit, ARMED, 0, bit, bit },
			{ RULE_FROZEN, ~bit, ARMED, 0, bit, 0 },
		};

		for (size_t j = 0; j < sizeof(each) / sizeof(each[0]); j++)
			check_row(&each[j], REGPIN_MSR, REGPIN_MASK);
	}
}

/* An access to another register or kind, and a read, never violate a pin. */
static void test_others(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	const struct judge_state state = { .armed = true, .setup_done = true };
	const struct access others[] = {
		{ REGPIN_MSR, true, 0x173, ALL, 0 },
		{ REGPIN_MSR, true, 0x175, ALL, 0 },
		{ REGPIN_CR0, true, 0, ALL, 0 },
		{ REGPIN_CR4, true, 0x174, ALL, 0 },
		{ REGPIN_MSR, false, 0x174, ALL, ALL },
	};

	add_pin(policy, RULE_STICKY, 0x174, ALL, REGPIN_GP);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct verdict verdict;

		judge(policy, &state, &others[i], &verdict);
		assert_int_equal(verdict.action, REGPIN_ALLOW);
		assert_null(verdict.rule);
		assert_int_equal(verdict.value, others[i].new_value);
	}
	free(policy);
}

/* The verdicts of `deny` and `value` on reads. */
static void test_reads(void **context)
{
	static const struct {
		unsigned int access, action;
		bool write;
		unsigned int verdict;
		uint64_t value;
	} reads[] = {
		{ ACCESS_READ, REGPIN_GP, false, REGPIN_GP, 7 },
		{ ACCESS_READ, REGPIN_DROP, false, REGPIN_DROP, 0 },
		{ ACCESS_READ, REGPIN_REPORT, false, REGPIN_REPORT, 7 },
		{ ACCESS_READ, REGPIN_GP, true, REGPIN_ALLOW, 9 },
		{ ACCESS_WRITE, REGPIN_GP, false, REGPIN_ALLOW, 7 },
		{ ACCESS_WRITE, REGPIN_GP, true, REGPIN_GP, 7 },
		{ ACCESS_WRITE, REGPIN_DROP, true, REGPIN_DROP, 7 },
		{ 3, REGPIN_DROP, true, REGPIN_DROP, 7 },
		{ 3, REGPIN_DROP, false, REGPIN_DROP, 0 },
	};

	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_START);
		const struct judge_state state = { 0 };
		struct access access = { REGPIN_MSR, reads[i].write, 0x8b, 7,
					 reads[i].write ? 9 : 7 };
		struct verdict verdict;

		add_deny(policy, 0x80, 16, reads[i].access, reads[i].action);
		judge(policy, &state, &access, &verdict);
		assert_int_equal(verdict.action, reads[i].verdict);
		assert_int_equal(verdict.value, reads[i].value);
		free(policy);
	}
}

static void test_value(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	const struct judge_state state = { 0 };
	struct access access = { REGPIN_MSR, false, 0x17, 7, 7 };
	struct verdict verdict;

	add_deny(policy, 0x17, 1, ACCESS_READ, REGPIN_GP);
	policy->rules[0].type = RULE_VALUE;
	policy->rules[0].value = 0x1234;
	judge(policy, &state, &access, &verdict);
	assert_true(verdict.answered);
	assert_int_equal(verdict.value, 0x1234);
	assert_int_equal(verdict.action, REGPIN_ALLOW);
	assert_null(verdict.rule);
	access.write = true;
	access.new_value = 9;
	judge(policy, &state, &access, &verdict);
	assert_false(verdict.answered);
	assert_int_equal(verdict.value, 9);
	free(policy);
}

/*
 * Which rule decides about a write and reports it, if one of them only reports the
 * register.
 */
static void test_report(void **context)
{
	static const struct {
		unsigned int pin, action;
		uint64_t new;
		unsigned int verdict, decides;
	} cases[] = {
		{ RULE_STICKY, REGPIN_GP, 0x900, REGPIN_REPORT, RULE_REPORT },
		{ RULE_STICKY, REGPIN_GP, 0x100, REGPIN_GP, RULE_STICKY },
		{ RULE_STICKY, REGPIN_MASK, 0x100, REGPIN_MASK, RULE_STICKY },
		{ RULE_STICKY, REGPIN_REPORT, 0x100, REGPIN_REPORT, RULE_STICKY },
		{ RULE_STICKY, REGPIN_REPORT, 0x801, REGPIN_REPORT, RULE_REPORT },
		{ RULE_DENY, REGPIN_REPORT, 0x900, REGPIN_REPORT, RULE_DENY },
		{ RULE_DENY, REGPIN_DROP, 0x900, REGPIN_DROP, RULE_DENY },
		{ RULE_ALLOW, REGPIN_GP, 0x900, REGPIN_REPORT, RULE_REPORT },
	};
	const struct judge_state state = { .armed = true, .setup_done = true };

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_START);
		const struct access access = { REGPIN_MSR, true, MSR_EFER, 0x800,
					       cases[i / 2].new };
		const struct rule *rule;
		struct verdict verdict;
		uint32_t at = 0;
		uint64_t bits;

		/* Before that rule, and after it. */
		if (i & 1)
			add_report(policy, REGPIN_MSR, MSR_EFER, ACCESS_WRITE);
		add_pin(policy, cases[i / 2].pin, MSR_EFER, EFER_NXE,
			cases[i / 2].action);
		if (!(i & 1))
			add_report(policy, REGPIN_MSR, MSR_EFER, ACCESS_WRITE);
		judge(policy, &state, &access, &verdict);
		assert_int_equal(verdict.action, cases[i / 2].verdict);
		assert_int_equal(verdict.rule->type, cases[i / 2].decides);
		/* There is no second event. */
		rule = judge_next(policy, &state, &access, &at, &bits);
		assert_ptr_equal(rule, verdict.rule);
		assert_null(judge_next(policy, &state, &access, &at, &bits));
		free(policy);
	}
}

/* A reported read is done, and a `value` beside the report gives its result. */
static void test_report_reads(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	struct access access = { REGPIN_MSR, false, MSR_LSTAR, 7, 7 };
	const struct judge_state state = { 0 };
	struct verdict verdict;

	add_report(policy, REGPIN_MSR, MSR_LSTAR, ACCESS_READ);
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_REPORT);
	assert_int_equal(verdict.value, 7);
	add_answer(policy, MSR_LSTAR, 0x1234);
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_REPORT);
	assert_true(verdict.answered && verdict.value == 0x1234);
	access.write = true;
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_ALLOW);
	free(policy);
}

/* A rule on a range does not apply to the MSRs beside it. */
static void test_ranges(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	const struct judge_state state = { 0 };
	static const struct {
		uint32_t index;
		bool denied;
	} around[] = {
		{ 0, false }, { 0xbff, false }, { 0xc00, true },
		{ 0xc03, true }, { 0xc04, false }, { 0xffffffff, false },
		{ 0xfffffff0, true }, { 0xfffffffe, true },
	};

	add_deny(policy, 0xc00, 4, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0xfffffff0, 15, ACCESS_WRITE, REGPIN_GP);
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		struct access access = { REGPIN_MSR, true, around[i].index, 0,
					 0 };
		struct verdict verdict;

		judge(policy, &state, &access, &verdict);
		assert_int_equal(verdict.action == REGPIN_GP,
				 around[i].denied);
	}
	free(policy);
}

/*
 * The strictest of several rules decides; the bits that a mask keeps are kept
 * nevertheless.
 */
static void test_strictest(void **context)
{
	const struct judge_state state = { .armed = true };
	const struct access access = { REGPIN_MSR, true, 0x174, 0xff, 0 };

	for (unsigned int a = REGPIN_REPORT; a < REGPIN_ACTION_MAX; a++)
		for (unsigned int b = REGPIN_REPORT; b < REGPIN_ACTION_MAX;
		     b++) {
			struct regpin_policy *policy = new_policy(ARM_START);
			uint64_t kept = (a == REGPIN_MASK ? 0x0f : 0) |
					(b == REGPIN_MASK ? 0xf0 : 0);
			unsigned int most = a > b ? a : b;
			struct verdict verdict;

			add_pin(policy, RULE_STICKY, 0x174, 0x0f, a);
			add_pin(policy, RULE_STICKY, 0x174, 0xf0, b);
			judge(policy, &state, &access, &verdict);
			assert_int_equal(verdict.action, most);
			assert_ptr_equal(verdict.rule,
					 &policy->rules[b > a]);
			assert_int_equal(verdict.bits, a == b ? 0xff :
					 a > b ? 0x0f : 0xf0);
			assert_int_equal(verdict.value, most >= REGPIN_DROP ?
					 0xff : kept);
			free(policy);
		}
}

/* Rules of different types together, as in real policies. */
static void test_together(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct judge_state state = { .uniform_known = true, .uniform = 5 };
	struct access access = { REGPIN_MSR, true, 0xc0000082, 0, 6 };
	struct verdict verdict;

	add_pin(policy, RULE_ONCE, 0xc0000082, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, 0xc0000082, ALL, REGPIN_MASK);
	/* Not armed: only uniform applies. */
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_MASK);
	assert_int_equal(verdict.value, 0);
	access.new_value = 5;
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_ALLOW);
	/* Armed and set up: both apply, and once is stricter. */
	state.armed = state.setup_done = true;
	access.old_value = 5;
	access.new_value = 6;
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_GP);
	assert_ptr_equal(verdict.rule, &policy->rules[0]);
	assert_int_equal(verdict.value, 5);
	free(policy);
}

/* KVM on VMX clears the SYSENTER MSRs at INIT; the kernel restores them. */
static void test_once_put_back(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct judge_state state = { .armed = true, .setup_done = true,
			       .once = 0x5000 };
	struct access access = { REGPIN_MSR, true, 0x175, 0, 0x5000 };
	struct verdict verdict;

	add_pin(policy, RULE_ONCE, 0x175, ALL, REGPIN_GP);
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_ALLOW);
	access.new_value = 0x6000;
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_GP);
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_once_put_back),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_report_reads),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_strictest),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
