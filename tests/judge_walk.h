/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge's verdict by a walk through all rules, one by one and in their order. It
 * follows the description in judge.h and policy.h, not judge.c.
 */
#ifndef REGPIN_TESTS_JUDGE_WALK_H
#define REGPIN_TESTS_JUDGE_WALK_H

#include "build_policy.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"

static inline bool speaks_of_register(const struct rule *rule,
			       const struct access *access)
{
	return rule->type < RULE_DEFAULT && rule->kind == access->kind &&
	       access->index >= rule->index &&
	       access->index < (uint64_t)rule->index + rule->count;
}

/* A vCPU that starts beside armed ones: which bits of @rule does it lack? */
static inline uint64_t missing(const struct rule *rule, const struct judge_state *state,
			const struct access *access)
{
	uint64_t gone = access->old_value & ~access->new_value & rule->mask;
	bool cr0 = access->kind == REGPIN_CR0;
	bool msr = access->kind == REGPIN_MSR;

	if (!access->write)
		return 0;
	if (cr0 && !(access->old_value & CR0_PG) &&
	    access->new_value & CR0_PG) {
		if (rule->kind == REGPIN_CR0)
			return rule->mask & state->first.cr0 &
			       ~access->new_value;
		if (rule->kind == REGPIN_MSR)
			return rule->mask & state->first.efer &
			       ~state->own.efer;
		return 0;
	}
	if (msr && access->index == MSR_LSTAR && access->new_value) {
		if (rule->kind == REGPIN_CR0)
			return rule->mask & state->first.cr0 & ~state->own.cr0;
		if (rule->kind == REGPIN_CR4)
			return rule->mask & state->first.cr4 & ~state->own.cr4;
		return rule->mask & state->first.efer & ~state->own.efer;
	}
	/* May it clear bits that it had set? */
	if (cr0 && access->new_value & CR0_PG && rule->kind == REGPIN_CR0)
		return gone & state->first.cr0;
	if (msr && access->index == MSR_EFER && rule->kind == REGPIN_MSR &&
	    state->own.cr0 & CR0_PG)
		return gone & state->first.efer;
	return 0;
}

static inline uint64_t against(const struct rule *rule, const struct judge_state *state,
			const struct access *access)
{
	uint64_t old = access->old_value, new = access->new_value;

	if (rule->type == RULE_REQUIRE)
		return state->floor ? missing(rule, state, access) : 0;
	if (rule->type == RULE_DENY ||
	    (rule->type == RULE_REPORT && access->kind == REGPIN_MSR))
		return rule->access & (access->write ? ACCESS_WRITE :
						       ACCESS_READ) ? ALL : 0;
	if (!access->write)
		return 0;
	if (rule->type == RULE_UNIFORM)
		return state->uniform_known && new != state->uniform ? ALL : 0;
	if (!state->armed)
		return 0;
	if (rule->type == RULE_STICKY)
		return old & ~new & rule->mask;
	if (rule->type == RULE_NEVER)
		return ~old & new & rule->mask;
	if (rule->type == RULE_FROZEN || rule->type == RULE_REPORT)
		return (old ^ new) & rule->mask;
	if (rule->type != RULE_ONCE || old == new)
		return 0;
	if (state->setup_done)
		return new == state->once ? 0 : ALL;
	return !old || state->leftover ? 0 : ALL;
}

static inline void strongest(struct verdict *verdict, const struct rule *rule,
		      uint64_t bits)
{
	const struct rule *now = verdict->rule;

	if (!now || rule->action > now->action) {
		verdict->rule = rule;
		verdict->action = rule->action;
		verdict->bits = bits;
	} else if (rule->action == now->action && rule->type == now->type &&
		   rule->kind == now->kind) {
		verdict->bits |= bits;
	}
}

static inline bool default_holds(const struct regpin_policy *policy,
			  const struct access *access, unsigned int type,
			  const struct rule *rule)
{
	return rule->type == RULE_DEFAULT && rule->access & type &&
	       access->kind == REGPIN_MSR &&
	       (access->index < 0x800 || access->index > 0x8ff) &&
	       !(access->write && access->index &&
		 access->index == policy->settings.request_msr);
}

/*
 * The verdict that judge() must return if the conditions in @hold hold. Returns the
 * bits that masks have kept.
 */
static inline uint64_t walk(const struct regpin_policy *policy, uint64_t hold,
			    const struct judge_state *state,
			    const struct access *access, struct verdict *to)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	uint64_t kept = 0, bits;
	bool spoken = false;

	*to = (struct verdict){ .action = REGPIN_ALLOW };
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		bool covers = speaks_of_register(rule, access);

		if (rule->when && !(hold & 1ull << (rule->when - 1)))
			continue;
		if (rule->type >= RULE_DEFAULT ||
		    (!covers && rule->type != RULE_REQUIRE))
			continue;
		if (covers && (rule->type < RULE_DENY || rule->access & type))
			spoken = true;
		if (rule->type == RULE_VALUE && !access->write) {
			to->answered = true;
			to->value = rule->value;
			continue;
		}
		bits = against(rule, state, access);
		if (!bits || rule->type == RULE_REPORT)
			continue;
		strongest(to, rule, bits);
		if (rule->action == REGPIN_MASK)
			kept |= bits;
	}
	/* A rule that only reports decides if no other rule does. */
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->type != RULE_REPORT ||
		    (to->rule && to->rule->type != RULE_REPORT) ||
		    (rule->when && !(hold & 1ull << (rule->when - 1))) ||
		    !speaks_of_register(rule, access))
			continue;
		bits = against(rule, state, access);
		if (bits)
			strongest(to, rule, bits);
	}
	for (uint32_t i = 0; i < policy->nr_rules && !spoken; i++)
		if (default_holds(policy, access, type, &policy->rules[i]))
			strongest(to, &policy->rules[i], ALL);
	if (to->answered)
		return kept;
	if (!access->write)
		to->value = to->action == REGPIN_DROP ? 0 : access->old_value;
	else if (to->action >= REGPIN_DROP)
		to->value = access->old_value;
	else
		to->value = (access->new_value & ~kept) |
			    (access->old_value & kept);
	return kept;
}

#endif
