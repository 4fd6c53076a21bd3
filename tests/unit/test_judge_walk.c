// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge finds a register's rules by tables, and evaluates all of them at once. Its
 * verdicts must be those of a walk through all rules, one by one, in their order
 * (judge_walk.h), for random policies.
 */
#include "../build_policy.h"
#include "../judge_walk.h"
#include "cm.h"
#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_sort.h"
#include "lib/policy/registers.h"
#include "lib/policy/when.h"


#define POLICIES	100000
#define ACCESSES	16
#define MANY		97	/* one policy in this many has many rules */
#define REQUEST		0x4b4d5301u

static uint64_t seed = 0x3a1c;

static uint32_t below(uint32_t end)
{
	return (uint32_t)(random64(&seed) % end);
}

/* The cases that were met, to check that all of them were. */
static struct met {
	uint64_t actions[REGPIN_ACTION_MAX];
	uint64_t types[RULE_TYPE_MAX];
	uint64_t answered, masked, left_out, several;
} met;

/* --- The policies and accesses that are compared --- */

/*
 * Few registers, so that several rules apply to one; some registers with a special
 * meaning; and the ends of the index range.
 */
static uint32_t some_index(void)
{
	static const uint32_t odd[] = {
		0, 1, 0xffffffff, 0xfffffffe, MSR_EFER, MSR_LSTAR,
		MSR_EFER, MSR_LSTAR, REQUEST, 0x7ff, 0x800, 0x8ff, 0x900,
	};

	/* These are for MSRs that share a slot; the ones below are for wide ranges. */
	if (!below(16))
		return below(2) ? 0xc0010080 + below(24) :
				  0xc0000000 + below(12000);
	return below(3) ? 0xc0000080 + below(below(8) ? 24 : 160) :
			  odd[below(13)];
}

static uint64_t some_bits(void)
{
	return random64(&seed) & random64(&seed) & random64(&seed);
}

static struct rule some_rule(uint32_t line)
{
	struct rule rule = {
		.mask = ALL, .count = 1, .line = line, .column = 1,
		.kind = (uint8_t)(below(3) ? REGPIN_MSR :
					     below(REGPIN_KIND_MAX)),
		.type = (uint8_t)below(RULE_DEFAULT),
		.action = (uint8_t)(REGPIN_REPORT +
				    below(REGPIN_ACTION_MAX - 1)),
		.access = ACCESS_WRITE,
		.when = (uint16_t)(below(3) ? 0 : 1 + below(4)),
	};

	if (rule.type >= RULE_DENY && rule.type != RULE_REPORT)
		rule.kind = REGPIN_MSR;
	if (rule.type == RULE_REQUIRE && rule.kind == REGPIN_XCR0)
		rule.kind = REGPIN_CR4;
	if (rule.kind == REGPIN_MSR)
		rule.index = rule.type == RULE_REQUIRE ? MSR_EFER :
							 some_index();
	if (rule.type <= RULE_REQUIRE)
		rule.mask = some_bits() | 1ull << below(64);
	if (rule.type == RULE_REPORT)
		rule.action = REGPIN_REPORT;
	if (rule.type >= RULE_DENY && rule.kind == REGPIN_MSR) {
		rule.access = (uint8_t)(1 + below(3));
		if (rule.index < 0xffffff00)
			rule.count = below(3) ? 1 + below(12) : 1 + below(200);
		/* More than policy_slot() can keep apart. */
		if (rule.index < 0xff000000 && !below(50))
			rule.count = POLICY_SLOTS - 1 + below(POLICY_SLOTS);
	}
	if (rule.type == RULE_VALUE) {
		rule.access = ACCESS_READ;
		rule.action = REGPIN_GP;
		rule.value = random64(&seed);
		rule.count = 1;
	}
	return rule;
}

static void some_policy(struct regpin_policy *policy, uint32_t nr, bool sorted)
{
	policy->nr_rules = 0;
	policy->sorted = false;
	policy->nr_whens = 4;
	policy->settings.request_msr = below(2) ? REQUEST : 0;
	for (uint32_t line = 1; line <= nr; line++) {
		struct rule rule = some_rule(line);

		assert_int_equal(policy_add(policy, &rule), 0);
	}
	for (unsigned int type = RULE_DEFAULT; type < RULE_TYPE_MAX; type++) {
		if (below(2))
			continue;
		add_wide(policy, type, REGPIN_DROP + below(2), 0, 0);
		if (type == RULE_DEFAULT)
			policy->rules[policy->nr_rules - 1].access =
				(uint8_t)(1 + below(3));
	}
	if (sorted)
		policy_sort(policy);
}

/* Many accesses are like a guest's: nothing changes, or one bit. */
static struct access some_access(void)
{
	struct access access = {
		.kind = (uint8_t)(below(3) ? REGPIN_MSR :
					     below(REGPIN_KIND_MAX)),
		.write = below(4), .old_value = random64(&seed),
	};

	access.new_value = access.old_value;
	switch (below(4)) {
	case 0:
		access.new_value ^= 1ull << below(64);
		break;
	case 1:
		access.new_value = below(4) ? random64(&seed) : 0;
		break;
	case 2:
		access.old_value = below(2) ? 0 : access.old_value;
		break;
	default:
		break;
	}
	if (access.kind == REGPIN_MSR)
		access.index = some_index();
	return access;
}

static struct judge_state some_state(const struct access *access)
{
	struct judge_state state = {
		.armed = below(3), .setup_done = below(2), .floor = !below(3),
		.uniform_known = below(2), .leftover = below(2),
		.uniform = below(3) ? access->new_value : random64(&seed),
		.once = below(3) ? access->new_value : random64(&seed),
		.own = { random64(&seed), random64(&seed), random64(&seed) },
		.first = { random64(&seed), random64(&seed), random64(&seed) },
	};

	return state;
}

static void same_rule(const struct regpin_policy *whole, uint64_t hold,
		      const struct access *access, const struct rule *found)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;

	for (uint32_t i = 0; i < whole->nr_rules; i++) {
		const struct rule *rule = &whole->rules[i];

		if ((rule->when && !(hold & 1ull << (rule->when - 1))) ||
		    !speaks_of_register(rule, access) ||
		    !(rule->access & type))
			continue;
		assert_non_null(found);
		assert_int_equal(found->line, rule->line);
		return;
	}
	assert_null(found);
}

/* Is a rule violated that does more than report? */
static bool any_other(const struct regpin_policy *whole, uint64_t hold,
		      const struct judge_state *state, const struct access *access)
{
	for (uint32_t i = 0; i < whole->nr_rules; i++) {
		const struct rule *rule = &whole->rules[i];

		if ((!rule->when || hold & 1ull << (rule->when - 1)) &&
		    rule->type < RULE_REPORT &&
		    (rule->type == RULE_REQUIRE ||
		     speaks_of_register(rule, access)) &&
		    against(rule, state, access))
			return true;
	}
	return false;
}

/* Each violated rule is returned exactly once. */
static void same_rules(const struct regpin_policy *whole, uint64_t hold,
		       const struct judge_state *state, const struct access *access,
		       const struct regpin_policy *policy,
		       const uint16_t *numbers)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	bool other, spoken = false, found[POLICY_FEW_RULES * 2] = { false };
	uint32_t at = 0, nr = 0;
	const struct rule *rule;
	uint64_t bits;

	for (uint32_t i = 0; i < whole->nr_rules; i++) {
		rule = &whole->rules[i];
		if (!rule->when || hold & 1ull << (rule->when - 1))
			spoken |= speaks_of_register(rule, access) &&
				  (rule->type < RULE_DENY || rule->access & type);
	}
	other = any_other(whole, hold, state, access);
	while ((rule = judge_next(policy, state, access, &at, &bits))) {
		uint32_t number = numbers[rule - policy->rules];

		assert_false(found[number]);
		found[number] = true;
		if (rule->type == RULE_DEFAULT)
			assert_true(!spoken && bits == ALL);
		else
			assert_int_equal(bits, against(rule, state, access));
	}
	for (uint32_t i = 0; i < whole->nr_rules; i++) {
		bool is = false;

		rule = &whole->rules[i];
		if (rule->when && !(hold & 1ull << (rule->when - 1)))
			is = false;
		else if (rule->type == RULE_DEFAULT)
			is = !spoken && default_holds(whole, access, type, rule);
		else if (rule->type == RULE_REQUIRE ||
			 speaks_of_register(rule, access))
			is = against(rule, state, access) &&
			     !(rule->type == RULE_REPORT && other);
		assert_int_equal(found[i], is);
		nr += is;
	}
	met.several += nr > 1;
}

static void compare(const struct regpin_policy *whole, uint64_t hold,
		    const struct regpin_policy *policy, const uint16_t *numbers)
{
	struct access access = some_access();
	struct judge_state state = some_state(&access);
	struct verdict is, should;

	met.masked += walk(whole, hold, &state, &access, &should) != 0;
	memset(&is, 0xa5, sizeof(is));
	judge(policy, &state, &access, &is);
	assert_int_equal(is.action, should.action);
	assert_int_equal(is.answered, should.answered);
	assert_int_equal(is.bits, should.bits);
	assert_int_equal(is.value, should.value);
	assert_int_equal(!is.rule, !should.rule);
	if (is.rule)
		assert_int_equal(numbers[is.rule - policy->rules],
				 should.rule - whole->rules);
	same_rules(whole, hold, &state, &access, policy, numbers);
	same_rule(whole, hold, &access,
		  policy_rule_on(policy, access.kind, access.index,
				 access.write ? ACCESS_WRITE : ACCESS_READ));
	met.actions[should.action]++;
	met.answered += should.answered;
	if (should.rule)
		met.types[should.rule->type]++;
}

static void as_by_a_walk(void **context)
{
	struct regpin_policy *whole = new_policy(ARM_START);
	struct regpin_policy *held = new_policy(ARM_START);
	static uint16_t numbers[POLICY_MAX_RULES];

	for (int i = 0; i < POLICIES; i++) {
		uint64_t hold = below(16);

		some_policy(whole, below(i % MANY ? 24 : 400), below(16));
		policy_resolve(whole, hold, held, numbers);
		assert_int_equal(held->sorted, whole->sorted);
		met.left_out += held->nr_rules < whole->nr_rules;
		for (int j = 0; j < ACCESSES; j++)
			compare(whole, hold, held, numbers);
	}
	for (unsigned int i = REGPIN_ALLOW; i < REGPIN_ACTION_MAX; i++)
		assert_true(met.actions[i] > 1000);
	for (unsigned int i = 0; i <= RULE_DEFAULT; i++)
		if (i != RULE_VALUE && i != RULE_ALLOW)
			assert_true(met.types[i] > 1000);
	assert_true(met.answered > 1000 && met.masked > 1000 &&
		    met.left_out > 1000 && met.several > 1000);
	free(whole);
	free(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_by_a_walk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
