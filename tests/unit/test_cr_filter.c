// SPDX-License-Identifier: GPL-2.0-only
/* From rules to KVM's CR filter: masks, flags, and what is left out. */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/cr_filter.h"
#include "lib/policy/registers.h"


static const uint64_t everything[NR_CRS] = { ALL, ALL, ALL };

static struct kvm_x86_cr_filter build(const struct regpin_policy *policy,
				      const uint64_t filterable[NR_CRS])
{
	struct kvm_x86_cr_filter filter;

	memset(&filter, 0xa5, sizeof(filter));
	cr_filter_build(policy, filterable, &filter);
	/* KVM refuses a filter with other bits. */
	assert_int_equal(filter.pad, 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(filter.reserved[i], 0);
	for (int i = NR_CRS; i < KVM_X86_CR_FILTER_NR; i++) {
		assert_int_equal(filter.regs[i].clear_mask, 0);
		assert_int_equal(filter.regs[i].set_mask, 0);
	}
	return filter;
}

static void add_flagged(struct regpin_policy *policy, unsigned int type,
			unsigned int kind, uint64_t mask, uint32_t flags)
{
	add_rule(policy, type, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = flags;
}

/* One rule of each type on each register: which changes must exit? */
static void test_masks(void **context)
{
	static const struct {
		unsigned int type;
		bool clear, set;
	} types[] = {
		{ RULE_STICKY, true, false },
		{ RULE_NEVER, false, true },
		{ RULE_FROZEN, true, true },
		{ RULE_REQUIRE, false, false },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (int reg = 0; reg < NR_CRS; reg++) {
			struct regpin_policy *policy = new_policy(ARM_START);
			const uint64_t mask = 0x8000000000000121ull;
			struct kvm_x86_cr_filter f;

			add_rule(policy, types[i].type,
				 REGPIN_CR0 + (unsigned int)reg, 0, mask,
				 REGPIN_GP);
			f = build(policy, everything);
			for (int j = 0; j < NR_CRS; j++) {
				uint64_t pg = j ? 0 : CR0_PG;

				assert_int_equal(f.regs[j].clear_mask,
						 j == reg && types[i].clear ?
						 mask : 0);
				assert_int_equal(f.regs[j].set_mask,
						 j == reg && types[i].set ?
						 mask | pg : pg);
			}
			free(policy);
		}
}

/* The floor and INIT need the filter, even if the policy pins only an MSR. */
static void test_always(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct kvm_x86_cr_filter f;

	add_pin(policy, RULE_STICKY, MSR_EFER, ALL, REGPIN_GP);
	f = build(policy, everything);
	assert_int_equal(f.flags, KVM_X86_CR_FILTER_EXIT |
				  KVM_X86_CR_FILTER_EXIT_INIT);
	assert_int_equal(f.regs[0].set_mask, CR0_PG);
	assert_int_equal(f.regs[0].clear_mask, 0);
	assert_int_equal(f.regs[1].clear_mask | f.regs[1].set_mask, 0);
	assert_int_equal(f.regs[2].clear_mask | f.regs[2].set_mask, 0);
	free(policy);
}

/* The masks of several rules on one register are combined. */
static void test_together(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct kvm_x86_cr_filter f;

	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, 0x300000, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, 0x800, REGPIN_REPORT);
	add_rule(policy, RULE_NEVER, REGPIN_CR4, 0, 0x2000, REGPIN_STOP);
	add_rule(policy, RULE_FROZEN, REGPIN_CR4, 0, 0x1000, REGPIN_MASK);
	f = build(policy, everything);
	assert_int_equal(f.regs[1].clear_mask, 0x301800);
	assert_int_equal(f.regs[1].set_mask, 0x3000);
	free(policy);
}

/* Bits that no guest of this KVM can change are left out, because KVM would refuse them. */
static void test_filterable(void **context)
{
	static const uint64_t some[NR_CRS] = { CR0_PG | 0x10001, 0x300020, 0 };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	static const uint64_t none[NR_CRS];
	struct kvm_x86_cr_filter f;

	for (unsigned int kind = REGPIN_CR0; kind < REGPIN_KIND_MAX; kind++)
		add_rule(policy, RULE_FROZEN, kind, 0, ALL, REGPIN_GP);
	f = build(policy, some);
	for (int i = 0; i < NR_CRS; i++) {
		assert_int_equal(f.regs[i].clear_mask, some[i]);
		assert_int_equal(f.regs[i].set_mask, some[i]);
	}
	f = build(policy, none);
	assert_int_equal(f.regs[0].set_mask, 0);
	free(policy);
}

/* A rule that is only polled is not in the CR filter. */
static void test_detected(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct kvm_x86_cr_filter f;

	add_flagged(policy, RULE_STICKY, REGPIN_CR0, 0x10000,
		    RULE_OPTIONAL | RULE_DETECT);
	add_flagged(policy, RULE_NEVER, REGPIN_CR0, 4, RULE_DETECT);
	assert_false(cr_filter_needed(policy));
	assert_true(cr_filter_detects(policy));
	f = build(policy, everything);
	assert_int_equal(f.regs[0].clear_mask, 0);
	assert_int_equal(f.regs[0].set_mask, CR0_PG);
	/* RULE_OPTIONAL alone does not cause a rule to be polled. */
	add_flagged(policy, RULE_STICKY, REGPIN_CR0, 1, RULE_OPTIONAL);
	assert_true(cr_filter_needed(policy));
	f = build(policy, everything);
	assert_int_equal(f.regs[0].clear_mask, 1);
	free(policy);
}

/* Which rules need the CR filter? */
static void test_needed(void **context)
{
	static const struct {
		unsigned int type, kind;
		bool needed, detects;
	} rows[] = {
		{ RULE_STICKY, REGPIN_MSR, true, false },
		{ RULE_NEVER, REGPIN_MSR, true, false },
		{ RULE_FROZEN, REGPIN_MSR, true, false },
		{ RULE_REQUIRE, REGPIN_MSR, true, false },
		{ RULE_ONCE, REGPIN_MSR, true, false },
		{ RULE_UNIFORM, REGPIN_MSR, true, false },
		{ RULE_DENY, REGPIN_MSR, false, false },
		{ RULE_VALUE, REGPIN_MSR, false, false },
		{ RULE_REPORT, REGPIN_MSR, false, false },
		{ RULE_REPORT, REGPIN_CR4, true, true },
		{ RULE_STICKY, REGPIN_CR0, true, true },
		{ RULE_NEVER, REGPIN_CR4, true, true },
		{ RULE_FROZEN, REGPIN_XCR0, true, true },
		/* The floor cannot be polled, because it applies at one moment. */
		{ RULE_REQUIRE, REGPIN_CR4, true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct regpin_policy *policy = new_policy(ARM_START);

		assert_false(cr_filter_needed(policy));
		add_rule(policy, rows[i].type, rows[i].kind,
			 rows[i].kind == REGPIN_MSR ? MSR_EFER : 0, 1,
			 REGPIN_GP);
		assert_int_equal(cr_filter_needed(policy), rows[i].needed);
		assert_int_equal(cr_filter_detects(policy), rows[i].detects);
		free(policy);
	}
}

/* A policy with an action on INIT, and no pin. */
static void test_init(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	for (unsigned int action = REGPIN_ALLOW; action < REGPIN_ACTION_MAX;
	     action++) {
		policy->settings.init_action = (uint8_t)action;
		assert_int_equal(cr_filter_needed(policy),
				 action != REGPIN_ALLOW);
	}
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_together),
		cmocka_unit_test(test_filterable),
		cmocka_unit_test(test_detected),
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
