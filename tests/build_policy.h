/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds policies in code, for tests: add rules, then check them. */
#ifndef REGPIN_TESTS_BUILD_POLICY_H
#define REGPIN_TESTS_BUILD_POLICY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"

#define ALL	(~0ull)

static inline struct regpin_policy *new_policy(unsigned int arming)
{
	struct regpin_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		abort();
	policy->arming = arming;
	policy->settings = (struct settings)SETTINGS_DEFAULT;
	strcpy(policy->source, "test.yaml");
	return policy;
}

/* Lines are numbered in the order of the calls, so an event can be traced back. */
static inline void add_rule(struct regpin_policy *policy, unsigned int type,
			    unsigned int kind, uint32_t index, uint64_t mask,
			    unsigned int action)
{
	struct rule rule = {
		.mask = mask, .index = index, .count = 1,
		.line = policy->nr_rules + 1, .column = 1,
		.kind = (uint8_t)kind, .type = (uint8_t)type,
		.action = (uint8_t)action, .access = ACCESS_WRITE,
	};

	if (policy_add(policy, &rule))
		abort();
}

static inline void add_pin(struct regpin_policy *policy, unsigned int type,
			   uint32_t index, uint64_t mask, unsigned int action)
{
	add_rule(policy, type, REGPIN_MSR, index, mask, action);
}

static inline void add_deny(struct regpin_policy *policy, uint32_t index,
			    uint32_t count, unsigned int access,
			    unsigned int action)
{
	struct rule *rule;

	add_rule(policy, RULE_DENY, REGPIN_MSR, index, ALL, action);
	rule = &policy->rules[policy->nr_rules - 1];
	rule->count = count;
	rule->access = (uint8_t)access;
}

/* Accesses to one register are events. */
static inline void add_report(struct regpin_policy *policy, unsigned int kind,
			      uint32_t index, unsigned int access)
{
	add_rule(policy, RULE_REPORT, kind, index, ALL, REGPIN_REPORT);
	policy->rules[policy->nr_rules - 1].access = (uint8_t)access;
}

/* Opens a range where the policy's default denies. */
static inline void add_allow(struct regpin_policy *policy, uint32_t index,
			     uint32_t count, unsigned int access)
{
	add_deny(policy, index, count, access, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].type = RULE_ALLOW;
}

/* Reads of one MSR answer @value. */
static inline void add_answer(struct regpin_policy *policy, uint32_t index,
			     uint64_t value)
{
	add_deny(policy, index, 1, ACCESS_READ, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].type = RULE_VALUE;
	policy->rules[policy->nr_rules - 1].value = value;
}

/* A rule of the whole policy. */
static inline void add_wide(struct regpin_policy *policy, unsigned int type,
			    unsigned int action, unsigned int flags,
			    uint64_t value)
{
	struct rule *rule;

	add_deny(policy, 0, 0, ACCESS_READ | ACCESS_WRITE, action);
	rule = &policy->rules[policy->nr_rules - 1];
	rule->type = (uint8_t)type;
	rule->flags = (uint16_t)flags;
	rule->value = value;
}

static inline void add_default(struct regpin_policy *policy,
			       unsigned int access, unsigned int action)
{
	add_wide(policy, RULE_DEFAULT, action, 0, 0);
	policy->rules[policy->nr_rules - 1].access = (uint8_t)access;
}

/* Checks and sorts. Prints the errors and returns their number. */
static inline unsigned int finish_policy(struct regpin_policy *policy)
{
	struct problems *problems = problems_new();
	unsigned int errors;

	if (!problems)
		abort();
	errors = policy_check(policy, problems);
	for (unsigned int i = 0; i < problems->nr; i++)
		if (!problems->list[i].warning)
			printf("# line %u: %s\n", problems->list[i].line,
			       problems->list[i].text);
	problems_free(problems);
	return errors;
}

/* A policy of one pin, ready for use. */
static inline struct regpin_policy *
pin_policy(unsigned int type, uint32_t index, uint64_t mask,
	   unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, type, index, mask, action);
	if (finish_policy(policy))
		abort();
	return policy;
}

/* xorshift64*: the same sequence everywhere. */
static inline uint64_t random64(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

#endif
