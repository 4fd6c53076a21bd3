// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules in a blob that the tool never writes, and that would leave a register open: each is
 * refused.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lib/policy/rule_notes.h"

#include <errno.h>

static char blob[BLOB_MAX_SIZE];

static struct rule good_rule(void)
{
	return (struct rule){
		.mask = EFER_NXE, .index = MSR_EFER, .count = 1, .line = 1,
		.kind = REGPIN_MSR, .type = RULE_STICKY, .action = REGPIN_GP,
		.access = ACCESS_WRITE,
	};
}

static int open_rule(const struct rule *rule)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *back = new_policy(0);
	int ret;

	policy_add(policy, rule);
	ret = blob_open(blob, blob_seal(policy, blob), back);
	free(policy);
	free(back);
	return ret;
}

/* Rules that no front end makes, and that would leave a register open. */
static void test_bad_rules(void **context)
{
	struct rule rule = good_rule();

	assert_int_equal(open_rule(&rule), 0);
#define BAD(field, bad) \
	do { \
		rule = good_rule(); \
		rule.field = bad; \
		assert_int_equal(open_rule(&rule), -EINVAL); \
	} while (0)
	BAD(mask, 0);
	BAD(value, 1);
	BAD(kind, REGPIN_KIND_MAX);
	BAD(kind, 255);
	BAD(kind, REGPIN_CR0);		/* with an MSR's index */
	BAD(type, RULE_TYPE_MAX);
	BAD(type, 255);
	BAD(action, REGPIN_ALLOW);
	BAD(action, REGPIN_ACTION_MAX);
	BAD(access, 0);
	BAD(access, ACCESS_READ);	/* a pin must filter writes */
	BAD(access, 3);
	BAD(access, 4);
	BAD(flags, 1u << 15);
	BAD(flags, RULE_ANSWERS);	/* only for rules of a register */
	BAD(when, 1);			/* the policy has no condition */
	BAD(count, 0);
	BAD(count, 2);
	BAD(count, 0xffffffff);
	BAD(index, 0x48);		/* cannot be replayed */
	BAD(index, 0x800);		/* x2APIC */
	BAD(index, 0xffffffff);
	BAD(flags, RULE_DETECT);	/* an MSR is not polled */
	BAD(flags, RULE_FLAGS);
}

static struct rule good_wide(void)
{
	return (struct rule){
		.mask = ALL, .kind = REGPIN_MSR, .type = RULE_UNKNOWN,
		.action = REGPIN_DROP, .access = ACCESS_READ | ACCESS_WRITE,
	};
}

/* Rules of the whole policy have exactly one valid form. */
static void test_bad_wide_rules(void **context)
{
	struct rule rule = good_wide();

	assert_int_equal(open_rule(&rule), 0);
#define BAD_WIDE(field, bad) \
	do { \
		rule = good_wide(); \
		rule.field = bad; \
		assert_int_equal(open_rule(&rule), -EINVAL); \
	} while (0)
	BAD_WIDE(mask, 1);
	BAD_WIDE(value, 1);		/* RULE_ANSWERS is missing */
	BAD_WIDE(kind, REGPIN_CR0);
	BAD_WIDE(index, 1);
	BAD_WIDE(count, 1);
	BAD_WIDE(when, 1);
	BAD_WIDE(action, REGPIN_ALLOW);
	BAD_WIDE(action, REGPIN_MASK);
	BAD_WIDE(action, REGPIN_PAUSE);
	BAD_WIDE(action, REGPIN_STOP);
	BAD_WIDE(access, ACCESS_READ);
	BAD_WIDE(access, 0);
	BAD_WIDE(flags, RULE_OPTIONAL);
	BAD_WIDE(flags, RULE_DETECT);
	BAD_WIDE(type, RULE_DENY);	/* needs an MSR */
	BAD_WIDE(type, RULE_ALLOW);
	rule = good_wide();
	rule.flags = RULE_ANSWERS;
	rule.value = 5;
	assert_int_equal(open_rule(&rule), 0);
	rule.type = RULE_DEFAULT;
	assert_int_equal(open_rule(&rule), -EINVAL);
	rule.flags = 0;
	rule.value = 0;
	for (unsigned int a = 1; a < REGPIN_ACTION_MAX; a++) {
		rule.action = (uint8_t)a;
		assert_int_equal(open_rule(&rule),
				 a == REGPIN_GP || a == REGPIN_DROP ||
				 a == REGPIN_STOP ? 0 : -EINVAL);
	}
}

static struct rule good_require(void)
{
	return (struct rule){
		.mask = 1ull << 20, .count = 1, .line = 1, .kind = REGPIN_CR4,
		.type = RULE_REQUIRE, .action = REGPIN_GP,
		.access = ACCESS_WRITE, .flags = RULE_OPTIONAL,
	};
}

static void test_bad_control_register_rules(void **context)
{
	struct rule rule = good_require();

	assert_int_equal(open_rule(&rule), 0);
#define BAD_REQUIRE(field, bad) \
	do { \
		rule = good_require(); \
		rule.field = bad; \
		assert_int_equal(open_rule(&rule), -EINVAL); \
	} while (0)
	BAD_REQUIRE(action, REGPIN_MASK);
	BAD_REQUIRE(action, REGPIN_DROP);
	BAD_REQUIRE(access, ACCESS_READ);
	BAD_REQUIRE(mask, 0);
	BAD_REQUIRE(mask, ~0ull);
	BAD_REQUIRE(kind, REGPIN_XCR0);
	BAD_REQUIRE(kind, REGPIN_MSR);
	BAD_REQUIRE(flags, RULE_DETECT);	/* RULE_OPTIONAL is missing */
	rule = good_require();
	rule.flags = RULE_FLAGS;
	assert_int_equal(open_rule(&rule), 0);
	rule = good_require();
	rule.kind = REGPIN_MSR;
	rule.index = MSR_LSTAR;
	assert_int_equal(open_rule(&rule), -EINVAL);
	rule.index = MSR_EFER;
	assert_int_equal(open_rule(&rule), 0);
}

/* RULE_DETECT needs RULE_OPTIONAL, and a register that is polled. */
static void test_detect_flag(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *back = new_policy(0);

	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, REGPIN_GP);
	policy->rules[0].flags = RULE_FLAGS;
	assert_int_equal(blob_open(blob, blob_seal(policy, blob), back), 0);
	assert_int_equal(back->rules[0].flags, RULE_FLAGS);
	policy->rules[0].flags = RULE_DETECT;
	assert_int_equal(blob_open(blob, blob_seal(policy, blob), back),
			 -EINVAL);
	policy->rules[0].flags = RULE_FLAGS;
	policy->settings.detect_ms = 0;
	assert_int_equal(blob_open(blob, blob_seal(policy, blob), back),
			 -EINVAL);
	free(policy);
	free(back);
}

/* The notes of the tool are not in a blob, and a blob that has them is refused. */
static void test_notes(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *back = new_policy(0);
	struct rule *rule = (struct rule *)((char *)blob + sizeof(struct blob_header));
	size_t size;

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	policy->rules[0].flags = RULE_OPTIONAL | RULE_NOTES;
	size = blob_seal(policy, blob);
	assert_int_equal(blob_open(blob, size, back), 0);
	assert_int_equal(back->rules[0].flags, RULE_OPTIONAL);
	for (uint16_t bit = RULE_BY_ACTION; bit <= RULE_BY_OPERATOR; bit *= 2) {
		rule->flags = bit;
		assert_int_equal(blob_open(blob, size, back), -EINVAL);
	}
	free(policy);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_rules),
		cmocka_unit_test(test_bad_wide_rules),
		cmocka_unit_test(test_bad_control_register_rules),
		cmocka_unit_test(test_detect_flag),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
