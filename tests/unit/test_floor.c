// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge's floor: the bits that a vCPU which starts beside armed ones must have set,
 * at CR0.PG 0->1 and when it sets LSTAR.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"


#define CR0_WP		(1ull << 16)
#define CR4_UMIP	(1ull << 11)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define KERNEL		0xffffffff81000000ull

/* Moments at which the floor applies, and some at which it does not. */
enum moment {
	PAGING_ON, PAGING_KEPT, PAGING_OFF, PAGING_NEVER, LSTAR_SET,
	LSTAR_CLEARED, LSTAR_READ, STAR_SET, EFER_SET, CR4_SET, NR_MOMENTS
};

static const struct access moments[NR_MOMENTS] = {
	[PAGING_ON] = { REGPIN_CR0, true, 0, CR0_PE, CR0_PE | CR0_PG },
	[PAGING_KEPT] = { REGPIN_CR0, true, 0, CR0_PE | CR0_PG, CR0_PG },
	[PAGING_OFF] = { REGPIN_CR0, true, 0, CR0_PE | CR0_PG, CR0_PE },
	[PAGING_NEVER] = { REGPIN_CR0, true, 0, 0, CR0_PE },
	[LSTAR_SET] = { REGPIN_MSR, true, MSR_LSTAR, 0, KERNEL },
	[LSTAR_CLEARED] = { REGPIN_MSR, true, MSR_LSTAR, KERNEL, 0 },
	[LSTAR_READ] = { REGPIN_MSR, false, MSR_LSTAR, KERNEL, KERNEL },
	[STAR_SET] = { REGPIN_MSR, true, MSR_STAR, 0, 5 },
	[EFER_SET] = { REGPIN_MSR, true, MSR_EFER, 0, EFER_SCE },
	[CR4_SET] = { REGPIN_CR4, true, 0, 0, 0x20 },
};

/* A vCPU that has no bit set, and a first one that has all. */
static const struct judge_state bare = {
	.floor = true, .first = { ALL, ALL, ALL },
};

static struct regpin_policy *require(unsigned int kind, uint64_t mask,
				     unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_rule(policy, RULE_REQUIRE, kind,
		 kind == REGPIN_MSR ? MSR_EFER : 0, mask, action);
	return policy;
}

static uint64_t missing(unsigned int kind, uint64_t mask,
			const struct judge_state *state,
			const struct access *access)
{
	struct regpin_policy *policy = require(kind, mask, REGPIN_GP);
	struct verdict verdict;

	judge(policy, state, access, &verdict);
	assert_int_equal(verdict.action,
			 verdict.bits ? REGPIN_GP : REGPIN_ALLOW);
	assert_ptr_equal(verdict.rule, verdict.bits ? policy->rules : NULL);
	if (access->write)
		assert_int_equal(verdict.value, verdict.bits ?
				 access->old_value : access->new_value);
	free(policy);
	return verdict.bits;
}

static void test_moments(void **context)
{
	for (int i = 0; i < NR_MOMENTS; i++) {
		bool paging = i == PAGING_ON, lstar = i == LSTAR_SET;

		/* While paging is on, the required bits may not be cleared. */
		assert_int_equal(judge_needs_own(&moments[i]),
				 paging || lstar || i == PAGING_KEPT);
		assert_int_equal(judge_needs_first(&moments[i]), lstar);
		assert_int_equal(missing(REGPIN_CR0, CR0_WP, &bare,
					 &moments[i]),
				 paging || lstar ? CR0_WP : 0);
		assert_int_equal(missing(REGPIN_MSR, EFER_NXE, &bare,
					 &moments[i]),
				 paging || lstar ? EFER_NXE : 0);
		/* Linux sets CR4 after CR0, so CR4 is required only at LSTAR. */
		assert_int_equal(missing(REGPIN_CR4, CR4_SMEP, &bare,
					 &moments[i]), lstar ? CR4_SMEP : 0);
	}
}

/* Without the floor: no vCPU is armed, a window is open, or the vCPU itself is armed. */
static void test_no_floor(void **context)
{
	struct judge_state state = bare;

	state.floor = false;
	for (int armed = 0; armed < 2; armed++) {
		state.armed = armed;
		for (int i = 0; i < NR_MOMENTS; i++)
			for (unsigned int kind = 0; kind <= REGPIN_CR4; kind++)
				assert_int_equal(missing(kind, ALL >> 1, &state,
							 &moments[i]), 0);
	}
}

/*
 * For each bit: a vCPU that has it passes, and a bit that the first vCPU lacks is not
 * required.
 */
static void test_each_bit(void **context)
{
	for (int i = 0; i < 64; i++) {
		uint64_t bit = 1ull << i;
		struct judge_state state = bare;

		state.own = (struct protections){ bit, bit, bit };
		for (unsigned int kind = 0; kind <= REGPIN_CR4; kind++) {
			assert_int_equal(missing(kind, bit, &state,
						 &moments[LSTAR_SET]), 0);
			assert_int_equal(missing(kind, ALL, &state,
						 &moments[LSTAR_SET]), ~bit);
		}
		state.own = (struct protections){ 0 };
		state.first = (struct protections){ ~bit, ~bit, ~bit };
		for (unsigned int kind = 0; kind <= REGPIN_CR4; kind++) {
			assert_int_equal(missing(kind, bit, &state,
						 &moments[LSTAR_SET]), 0);
			assert_int_equal(missing(kind, ALL, &state,
						 &moments[LSTAR_SET]), ~bit);
		}
	}
}

/* At CR0.PG 0->1 the new value of CR0 counts, not the old one. */
static void test_paging_with_the_rest(void **context)
{
	struct access access = moments[PAGING_ON];
	struct judge_state state = bare;

	access.new_value |= CR0_WP;
	assert_int_equal(missing(REGPIN_CR0, CR0_WP, &state, &access), 0);
	access.new_value &= ~CR0_WP;
	access.old_value |= CR0_WP;
	state.own.cr0 = access.old_value;
	assert_int_equal(missing(REGPIN_CR0, CR0_WP, &state, &access), CR0_WP);
}

/* Each register is compared with the first vCPU's value of that register. */
static void test_not_mixed(void **context)
{
	static const unsigned int kinds[] = { REGPIN_CR0, REGPIN_CR4,
					      REGPIN_MSR };

	for (int i = 0; i < 3; i++) {
		struct judge_state state = bare;

		state.own = (struct protections){
			i == 0 ? 0 : ALL, i == 1 ? 0 : ALL, i == 2 ? 0 : ALL,
		};
		for (int j = 0; j < 3; j++)
			assert_int_equal(missing(kinds[j], 1ull << 20, &state,
						 &moments[LSTAR_SET]),
					 i == j ? 1ull << 20 : 0);
	}
}

static void test_actions(void **context)
{
	for (unsigned int action = REGPIN_REPORT; action < REGPIN_ACTION_MAX;
	     action++) {
		struct regpin_policy *policy;
		struct verdict verdict;

		/* policy_check() refuses these two: they leave nothing to be required. */
		if (action == REGPIN_MASK || action == REGPIN_DROP)
			continue;
		policy = require(REGPIN_CR4, CR4_SMEP | CR4_SMAP, action);
		judge(policy, &bare, &moments[LSTAR_SET], &verdict);
		assert_int_equal(verdict.action, action);
		assert_int_equal(verdict.bits, CR4_SMEP | CR4_SMAP);
		assert_int_equal(verdict.value,
				 action == REGPIN_REPORT ? KERNEL : 0);
		free(policy);
	}
}

/* The rules of a policy that apply at LSTAR or at CR0.PG. */
static const struct rule together[] = {
	{ .kind = REGPIN_CR4, .type = RULE_REQUIRE, .mask = CR4_SMEP },
	{ .kind = REGPIN_MSR, .type = RULE_REQUIRE, .mask = EFER_NXE,
	  .index = MSR_EFER },
	{ .kind = REGPIN_CR0, .type = RULE_NEVER, .mask = CR0_PG },
	{ .kind = REGPIN_CR0, .type = RULE_STICKY, .mask = CR0_WP },
};

/* The bits that @rule alone would refuse in CR0.PG := 1 that clears WP. */
static uint64_t alone(const struct rule *rule)
{
	if (rule->type == RULE_REQUIRE)
		return rule->kind == REGPIN_MSR ? rule->mask : 0;
	return rule->mask;
}

static void check_order(const int order[4], const uint8_t actions[4])
{
	const struct access access = { REGPIN_CR0, true, 0, CR0_PE | CR0_WP,
				       CR0_PE | CR0_PG };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct judge_state state = bare;
	unsigned int most = REGPIN_ALLOW;
	int first = -1;
	struct verdict verdict;

	state.armed = true;	/* Does not happen in practice, but each rule is judged alone. */
	for (int i = 0; i < 4; i++) {
		struct rule rule = together[order[i]];

		rule.action = actions[order[i]];
		rule.count = 1;
		rule.access = ACCESS_WRITE;
		policy_add(policy, &rule);
		if (alone(&rule) && rule.action > most) {
			most = rule.action;
			first = i;
		}
	}
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, most);
	assert_ptr_equal(verdict.rule, &policy->rules[first]);
	assert_int_equal(verdict.bits, alone(&policy->rules[first]));
	assert_int_equal(verdict.value, most == REGPIN_REPORT ?
			 access.new_value : access.old_value);
	free(policy);
}

/* In all orders and with all actions, the strictest decides, and the first of equals. */
static void test_orders(void **context)
{
	static const uint8_t some[] = { REGPIN_REPORT, REGPIN_GP, REGPIN_PAUSE,
					REGPIN_STOP };

	for (int n = 0; n < 256; n++) {
		const int order[4] = { n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 };

		if ((1 << order[0] | 1 << order[1] | 1 << order[2] |
		     1 << order[3]) != 15)
			continue;
		for (int m = 0; m < 256; m++) {
			const uint8_t actions[4] = {
				some[m & 3], some[m >> 2 & 3],
				some[m >> 4 & 3], some[m >> 6],
			};

			check_order(order, actions);
		}
	}
}

/* A mask keeps its bits of the register, also where the floor only reports. */
static void test_mask_and_report(void **context)
{
	struct regpin_policy *policy = require(REGPIN_MSR, EFER_NXE,
					       REGPIN_REPORT);
	const struct access access = { REGPIN_CR0, true, 0, CR0_PE | CR0_WP,
				       CR0_PE | CR0_PG };
	struct judge_state state = bare;
	struct verdict verdict;

	state.armed = true;
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, CR0_WP, REGPIN_MASK);
	judge(policy, &state, &access, &verdict);
	assert_int_equal(verdict.action, REGPIN_MASK);
	assert_ptr_equal(verdict.rule, &policy->rules[1]);
	assert_int_equal(verdict.value, CR0_PE | CR0_PG | CR0_WP);
	free(policy);
}

/* Two rules of one kind make one event, those of two kinds do not. */
static void test_bits_together(void **context)
{
	struct regpin_policy *policy = require(REGPIN_CR4, CR4_SMEP, REGPIN_GP);
	struct verdict verdict;

	add_rule(policy, RULE_REQUIRE, REGPIN_CR4, 0, CR4_UMIP, REGPIN_GP);
	add_rule(policy, RULE_REQUIRE, REGPIN_CR0, 0, CR0_WP, REGPIN_GP);
	judge(policy, &bare, &moments[LSTAR_SET], &verdict);
	assert_int_equal(verdict.bits, CR4_SMEP | CR4_UMIP);
	free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_no_floor),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_paging_with_the_rest),
		cmocka_unit_test(test_not_mixed),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_mask_and_report),
		cmocka_unit_test(test_bits_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
