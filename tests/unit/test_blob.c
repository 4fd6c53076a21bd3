// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blob: a policy is the same after sealing and opening, and a damaged blob is
 * refused.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

#include <errno.h>
#include <unistd.h>

static char blob[BLOB_MAX_SIZE + 64];

static struct regpin_policy *rich_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_REQUEST);
	struct rule value = {
		.mask = ALL, .value = 42, .index = 0x17, .count = 1,
		.line = 7, .kind = REGPIN_MSR, .type = RULE_VALUE,
		.action = REGPIN_GP, .access = ACCESS_READ,
	};

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_MASK);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_REPORT);
	add_deny(policy, 0x80000000, 100, 3, REGPIN_DROP);
	add_deny(policy, 0x8b, 1, ACCESS_READ, REGPIN_GP);
	add_report(policy, REGPIN_MSR, MSR_STAR, ACCESS_READ | ACCESS_WRITE);
	add_report(policy, REGPIN_XCR0, 0, ACCESS_WRITE);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1ull << 16, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
	add_rule(policy, RULE_FROZEN, REGPIN_CR4, 0, 1ull << 20, REGPIN_PAUSE);
	policy->rules[policy->nr_rules - 1].flags = RULE_FLAGS;
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_STOP);
	policy->nr_whens = 2;
	policy->whens[0] = (struct when){
		.families = { { 6, 6 }, { 0x19, 0x1a } }, .nr_families = 2,
		.vendor = "AuthenticAMD", .line = 3, .column = 4,
	};
	policy->whens[1] = (struct when){ .models = { { 1, 255 } },
					  .nr_models = 1 };
	policy->rules[0].when = 2;
	value.when = 1;
	add_wide(policy, RULE_UNKNOWN, REGPIN_GP, RULE_ANSWERS, ALL);
	add_wide(policy, RULE_INVALID, REGPIN_REPORT, 0, 0);
	policy_add(policy, &value);
	policy->flags = POLICY_ACCEPT_SMM | POLICY_ACCEPT_S3;
	policy->settings = (struct settings){
		.request_msr = 0x4b4d5300, .deadline_ms = 1,
		.unarmed_ms = 86400000, .detect_ms = 1000,
		.init_action = REGPIN_STOP, .deadline_action = REGPIN_STOP,
		.detect_action = REGPIN_MASK,
	};
	assert_int_equal(finish_policy(policy), 0);
	return policy;
}

static void assert_same(const struct regpin_policy *a,
			const struct regpin_policy *b)
{
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->arming, b->arming);
	assert_int_equal(a->nr_rules, b->nr_rules);
	assert_memory_equal(&a->settings, &b->settings, sizeof(a->settings));
	assert_memory_equal(a->source, b->source, sizeof(a->source));
	assert_int_equal(a->nr_whens, b->nr_whens);
	assert_memory_equal(a->whens, b->whens,
			    a->nr_whens * sizeof(a->whens[0]));
	assert_memory_equal(a->rules, b->rules,
			    a->nr_rules * sizeof(a->rules[0]));
}

static void test_round_trip(void **context)
{
	struct regpin_policy *policy = rich_policy();
	struct regpin_policy *back = new_policy(0);
	size_t size = blob_seal(policy, blob);

	assert_int_equal(blob_open(blob, size, back), 0);
	assert_same(policy, back);
	free(policy);
	policy = new_policy(ARM_START);
	size = blob_seal(policy, blob);
	assert_int_equal(blob_open(blob, size, back), 0);
	assert_same(policy, back);
	free(policy);
	free(back);
}

static void test_full(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	struct regpin_policy *back = new_policy(0);
	struct rule extra = { 0 };
	size_t size;

	for (uint32_t i = 0; i < POLICY_MAX_RULES; i++)
		add_deny(policy, 0xc0010000 + i, 1, ACCESS_WRITE,
			 REGPIN_GP);
	assert_int_equal(policy_add(policy, &extra), -E2BIG);
	policy->nr_whens = POLICY_MAX_WHENS;
	for (uint16_t i = 0; i < POLICY_MAX_WHENS; i++)
		policy->whens[i] = (struct when){
			.models = { { i, i } }, .nr_models = 1,
		};
	assert_int_equal(finish_policy(policy), 0);
	size = blob_seal(policy, blob);
	assert_int_equal(size, BLOB_MAX_SIZE);
	assert_int_equal(blob_open(blob, size, back), 0);
	assert_same(policy, back);
	assert_int_equal(blob_open(blob, size + 1, back), -EFBIG);
	free(policy);
	free(back);
}

/* Any policy that was opened can be sealed, opened again, judged and filtered. */
static void assert_valid(const struct regpin_policy *policy)
{
	static char again[BLOB_MAX_SIZE];
	static struct msr_filter filter;
	static struct regpin_policy back;
	size_t size = blob_seal(policy, again);

	assert_int_equal(blob_open(again, size, &back), 0);
	assert_same(policy, &back);
	assert_int_equal(filter_build(policy, NULL, &filter), 0);
	assert_non_null(memchr(policy->source, 0, sizeof(policy->source)));
	assert_true(policy->nr_rules <= POLICY_MAX_RULES);
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		assert_true(rule->type >= RULE_DENY ||
			    rule->access == ACCESS_WRITE);
		assert_true(rule->kind == REGPIN_MSR ||
			    (!rule->index && rule->count == 1));
		assert_true(rule->type != RULE_REQUIRE ||
			    rule->kind == REGPIN_CR0 ||
			    rule->kind == REGPIN_CR4 ||
			    rule->index == MSR_EFER);
		assert_true(!(rule->flags & RULE_DETECT) ||
			    (rule->kind != REGPIN_MSR &&
			     policy->settings.detect_ms));
	}
}

static void test_corruption(void **context)
{
	struct regpin_policy *policy = rich_policy();
	struct regpin_policy *back = new_policy(0);
	size_t size = blob_seal(policy, blob);
	unsigned int opened = 0;

	for (size_t at = 0; at < size; at++) {
		unsigned char was = (unsigned char)blob[at];

		for (unsigned int value = 0; value < 256; value++) {
			blob[at] = (char)value;
			if (value == was || blob_open(blob, size, back))
				continue;
			assert_valid(back);
			opened++;
		}
		blob[at] = (char)was;
	}
	/* Masks, line numbers and names can have any value. */
	assert_true(opened > 0);
	free(policy);
	free(back);
}

static void test_truncation(void **context)
{
	struct regpin_policy *policy = rich_policy();
	struct regpin_policy *back = new_policy(0);
	size_t size = blob_seal(policy, blob);

	for (size_t cut = 0; cut < size; cut++) {
		/* A copy of the exact size lets ASan detect a read past the end. */
		char *exact = malloc(cut ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, blob, cut);
		assert_int_equal(blob_open(exact, cut, back), -EINVAL);
		free(exact);
	}
	for (size_t more = 1; more < 64; more++)
		assert_int_equal(blob_open(blob, size + more, back), -EINVAL);
	free(policy);
	free(back);
}

static void test_header(void **context)
{
	struct regpin_policy *policy = rich_policy();
	struct regpin_policy *back = new_policy(0);
	struct blob_header *header = (struct blob_header *)blob;
	size_t size = blob_seal(policy, blob);
	const struct blob_header good = *header;

#define BAD_HEADER(field, bad) \
	do { \
		header->field = bad; \
		assert_int_equal(blob_open(blob, size, back), -EINVAL); \
		*header = good; \
	} while (0)
	BAD_HEADER(magic, 0);
	BAD_HEADER(version, 0);
	BAD_HEADER(version, BLOB_VERSION + 1);
	BAD_HEADER(flags, 1u << 31);
	BAD_HEADER(arming, ARM_MAX);
	BAD_HEADER(nr_rules, good.nr_rules - 1);
	BAD_HEADER(nr_rules, 0xffffffff);
	BAD_HEADER(nr_rules, POLICY_MAX_RULES + 1);
	BAD_HEADER(rule_size, sizeof(struct rule) + 8);
	BAD_HEADER(nr_whens, good.nr_whens - 1);
	BAD_HEADER(nr_whens, POLICY_MAX_WHENS + 1);
	BAD_HEADER(nr_whens, 0xffffffff);
	BAD_HEADER(when_size, sizeof(struct when) + 8);
	BAD_HEADER(pad, 1);
	BAD_HEADER(size, good.size + 1);
	BAD_HEADER(arming, ARM_OPERATOR);	/* but the policy has a request's MSR */
	BAD_HEADER(settings.request_msr, MSR_LSTAR);
	BAD_HEADER(settings.request_msr, 0x800);
	BAD_HEADER(settings.deadline_ms, 86400001);
	BAD_HEADER(settings.unarmed_ms, 86400001);
	BAD_HEADER(settings.detect_ms, 86400001);
	BAD_HEADER(settings.detect_ms, 0);	/* but a rule is polled */
	BAD_HEADER(settings.init_action, REGPIN_GP);
	BAD_HEADER(settings.init_action, REGPIN_MASK);
	BAD_HEADER(settings.init_action, REGPIN_ACTION_MAX);
	BAD_HEADER(settings.init_action, 255);
	BAD_HEADER(settings.deadline_action, REGPIN_ALLOW);
	BAD_HEADER(settings.deadline_action, REGPIN_GP);
	BAD_HEADER(settings.detect_action, REGPIN_ALLOW);
	BAD_HEADER(settings.detect_action, REGPIN_DROP);
	BAD_HEADER(settings.detect_action, REGPIN_GP);
	BAD_HEADER(settings.pad[12], 1);
	memset(header->source, 'x', sizeof(header->source));
	assert_int_equal(blob_open(blob, size, back), -EINVAL);
	free(policy);
	free(back);
}

/* The caller may give a policy any number, and the blob carries that number. */
static void test_number(void **context)
{
	static const uint32_t numbers[] = { 0, 1, 0x80000001, 0xffffffff };
	struct regpin_policy *policy = rich_policy(), *back;
	size_t size;

	size = blob_seal(policy, blob);
	assert_int_equal(((struct blob_header *)blob)->number, 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		regpin_policy_set_number(policy, numbers[i]);
		assert_int_equal(blob_seal(policy, blob), size);
		assert_int_equal(regpin_policy_load(blob, size, &back), 0);
		assert_int_equal(back->number, numbers[i]);
		assert_same(policy, back);
		regpin_policy_free(back);
	}
	free(policy);
}

/* regpin_policy_open() reads from the start, whatever the offset. */
static void test_open(void **context)
{
	struct regpin_policy *policy = rich_policy(), *back = NULL;
	size_t size = blob_seal(policy, blob);
	FILE *file = tmpfile();
	const char *type;
	uint32_t line;

	assert_non_null(file);
	assert_int_equal(write(fileno(file), blob, size), size);
	assert_int_equal(regpin_policy_open(fileno(file), &back), 0);
	assert_same(policy, back);
	assert_string_equal(regpin_policy_where(back, 0, &line, &type),
			    "test.yaml");
	assert_null(regpin_policy_where(back, back->nr_rules, &line, &type));
	regpin_policy_free(back);
	back = NULL;
	assert_int_equal(ftruncate(fileno(file), BLOB_MAX_SIZE + 1), 0);
	assert_int_equal(regpin_policy_open(fileno(file), &back), -EFBIG);
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	assert_int_equal(regpin_policy_open(fileno(file), &back), -EINVAL);
	assert_int_equal(regpin_policy_open(-1, &back), -EBADF);
	assert_null(back);
	fclose(file);
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
