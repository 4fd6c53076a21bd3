// SPDX-License-Identifier: GPL-2.0-only
/* Makes numbers, registers and policies from a story's bytes. */
#include <string.h>

#include "exit_story.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/policy_sort.h"
#include "lib/policy/registers.h"
#include "toy_kvm.h"

#define MAX_RULES	8

static const uint8_t *at, *end;

void story_begin(const uint8_t *data, size_t size)
{
	at = data;
	end = data + size;
	while (at < end && *at == '#') {
		const uint8_t *line = memchr(at, '\n', (size_t)(end - at));

		at = line ? line + 1 : end;
	}
}

bool story_more(void)
{
	while (at < end && (*at == ' ' || *at == '\n'))
		at++;
	return at < end;
}

uint8_t story_byte(void)
{
	return story_more() ? *at++ : '0';
}

unsigned int story_number(unsigned int limit)
{
	return (uint8_t)(story_byte() - '0') % limit;
}

uint64_t story_value(void)
{
	static const uint64_t some[] = {
		0, ~0ull, 0xffffffff81000000, 0xffffffff82000000, 0x47700,
		0xd01, 0x501, 0x901, 0x0007040600070406, 0x10,
		0x0000800000000000, 0xffff000081000000, 1, 0x1d01, 0xc06, 0x806,
		0x0606060606060606, 0xfee00800, 0x1234567890abcdef, 1ull << 63,
	};
	unsigned int kind = story_number(256);
	uint64_t value = 0;

	if (kind < 200)
		return some[kind % (sizeof(some) / sizeof(some[0]))];
	for (int i = 0; i < 8; i++)
		value = value << 8 | story_byte();
	return value;
}

static uint32_t any_index(void)
{
	uint32_t index = 0;

	for (int i = 0; i < 4; i++)
		index = index << 8 | story_byte();
	return index;
}

static uint32_t table_index(void)
{
	unsigned int row = (unsigned int)story_byte() << 8;
	const struct regpin_register *reg;

	row = (row | story_byte()) % regpin_nr_registers;
	reg = &regpin_registers[row];
	return reg->kind == REGPIN_MSR ? reg->index + story_byte() % reg->count * reg->stride :
					 MSR_EFER;
}

static uint32_t index_of(const struct regpin_policy *policy)
{
	unsigned int number = story_number(256);
	const struct rule *rule;

	if (!policy->nr_rules)
		return MSR_LSTAR;
	rule = &policy->rules[number % policy->nr_rules];
	return rule->index + rule->count - 1 + number / 64;
}

uint32_t story_index(const struct regpin_policy *policy)
{
	static const uint32_t odd[] = {
		MSR_EFER, MSR_LSTAR, MSR_SFMASK, MSR_SYSENTER_EIP, MSR_TSC_AUX,
		MSR_PAT, MSR_MTRR_PHYSBASE0, 0x2ff, 0x8b, 0x48, 0x2f00,
		0x12345678, 0xffffffff, 0xfffffffe, 0x7ff, 0x800, 0x8ff, 0x900,
		0x3000, 0x40000000, 0xc0000080 - 0x81, 0xc0003000, 0x6e0, 0x10,
		STORY_REQUEST + 1,
	};

	switch (story_number(8)) {
	case 0:
	case 1:
	case 2:
		return toy_replay((int)story_number((unsigned int)toy_nr_replay()));
	case 3:
		return table_index();
	case 4:
		return index_of(policy);
	case 5:
		return odd[story_number(sizeof(odd) / sizeof(odd[0]))];
	case 6:
		return STORY_REQUEST;
	default:
		return any_index();
	}
}

/* One rule: type, register, action, accesses, condition, then what the type wants. */
static struct rule some_rule(const struct regpin_policy *policy, uint32_t line)
{
	struct rule rule = { .mask = ~0ull, .count = 1, .line = line,
			     .column = 1, .kind = REGPIN_MSR };
	unsigned int when;

	rule.type = (uint8_t)story_number(RULE_TYPE_MAX);
	rule.index = story_index(policy);
	rule.action = (uint8_t)(REGPIN_REPORT +
				story_number(REGPIN_ACTION_MAX - 1));
	rule.access = (uint8_t)(1 + story_number(3));
	when = story_number(9);
	/* Most conditions always hold. */
	rule.when = (uint16_t)(when >= 5 && !rule_is_wide(&rule) ? when - 5 : 0);
	if (rule.type < RULE_DENY)
		rule.access = ACCESS_WRITE;
	if (rule.type == RULE_REQUIRE)
		rule.index = MSR_EFER;
	if (rule.type <= RULE_REQUIRE)
		rule.mask = story_value();
	if (rule.type == RULE_VALUE) {
		rule.access = ACCESS_READ;
		rule.action = REGPIN_GP;
		rule.value = story_value();
	}
	if (rule.type == RULE_ALLOW)
		rule.action = REGPIN_GP;
	if (rule.type == RULE_REPORT)
		rule.action = REGPIN_REPORT;
	if (rule.type >= RULE_DENY && rule.type < RULE_DEFAULT)
		rule.count = 1 + story_number(256) * story_number(9);
	if (rule_is_wide(&rule)) {
		rule.index = rule.count = 0;
		if (rule.type != RULE_DEFAULT)
			rule.access = ACCESS_READ | ACCESS_WRITE;
		if (rule.type != RULE_DEFAULT && when & 1) {
			rule.flags = RULE_ANSWERS;
			rule.value = story_value();
		}
	}
	return rule;
}

/*
 * Removes the rule with this line: the checks have sorted the rules, so its index is not
 * known.
 */
static void take_away(struct regpin_policy *policy, uint32_t line)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].line != line)
			policy->rules[kept++] = policy->rules[i];
	policy->nr_rules = kept;
	policy_sort(policy);
}

static const struct when whens[] = {
	{ .vendor = "AuthenticAMD" },
	{ .vendor = "GenuineIntel", .nr_families = 1, .families = { { 6, 6 } },
	  .nr_models = 1, .models = { { 0, 0x4f } } },
	{ .nr_families = 2, .families = { { 0x17, 0x1a }, { 0, 5 } } },
};

uint64_t story_holds(bool amd, unsigned int signature)
{
	return (uint64_t)amd | (uint64_t)(!amd && signature == STORY_HASWELL) << 1 |
	       (uint64_t)(signature == STORY_ZEN) << 2;
}

void story_policy(struct regpin_policy *policy)
{
	static struct problems problems;
	unsigned int rules = story_number(MAX_RULES + 1);

	policy->nr_rules = 0;
	policy->sorted = false;
	policy->settings = (struct settings){ 0 };
	policy->arming = story_number(ARM_MAX);
	policy->settings.request_msr = story_number(2) ? STORY_REQUEST : 0;
	policy->flags = story_number(POLICY_FLAGS + 1);
	policy->nr_whens = sizeof(whens) / sizeof(whens[0]);
	memcpy(policy->whens, whens, sizeof(whens));
	for (uint32_t line = 1; line <= rules; line++) {
		struct rule rule = some_rule(policy, line);

		policy_add(policy, &rule);
		problems.nr = problems.errors = 0;
		if (policy_check(policy, &problems))
			take_away(policy, line);
	}
}
