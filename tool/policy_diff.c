// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two policies compared, register by register. The MSRs are cut into stretches
 * within which no rule of either policy begins or ends; the effects of both on
 * a stretch are compared bit by bit, and equal changes are joined again.
 *
 * First that is done with the rules that always hold; then, for each condition that
 * either policy has, with those and the rules under it, and what was found already is
 * left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

#include "policy_diff.h"

/* What is pinned bit by bit, and what as a whole, in the order of diff_what. */
#define NR_BITWISE	(DIFF_REQUIRE + 1)
#define NR_WHOLE	(DIFF_VALUE + 1 - NR_BITWISE)

/**
 * struct effects - what a policy does about one register
 * @bits: about each bit: 0 or an action, as in struct policy_change
 * @whole: about the register as a whole
 * @value: what reads answer
 */
struct effects {
	uint8_t bits[NR_BITWISE][64];
	uint8_t whole[NR_WHOLE];
	uint64_t value;
};

/**
 * struct comparison - what is being compared
 * @from: the old policy
 * @to: the new one
 * @when: rules under this condition count as well; NULL: only those without
 * @diff: where changes go
 */
struct comparison {
	const struct regpin_policy *from, *to;
	const struct when *when;
	struct policy_diff *diff;
};

static unsigned int level(uint8_t effect)
{
	if (!effect)
		return 0;
	if (effect == REGPIN_REPORT)
		return 1;
	return effect & DIFF_DETECTED ? 2 : 3;
}

/* Where several rules judge one access, the strongest action decides. */
static void strengthen(uint8_t *effect, uint8_t other)
{
	if (level(other) > level(*effect) ||
	    (level(other) == level(*effect) && other > *effect))
		*effect = other;
}

static void add_bits(uint8_t effects[64], const struct rule *rule,
		     uint8_t effect)
{
	for (unsigned int i = 0; i < 64; i++)
		if (rule->mask >> i & 1)
			strengthen(&effects[i], effect);
}

static void add_whole(struct effects *effects, enum diff_what what,
		      uint8_t effect)
{
	strengthen(&effects->whole[what - NR_BITWISE], effect);
}

static void add_rule(struct effects *effects, const struct rule *rule)
{
	uint8_t effect = rule->action;

	if (rule->flags & RULE_DETECT && effect != REGPIN_REPORT)
		effect |= DIFF_DETECTED;
	if (rule->type == RULE_STICKY || rule->type == RULE_FROZEN)
		add_bits(effects->bits[DIFF_CLEAR], rule, effect);
	if (rule->type == RULE_NEVER || rule->type == RULE_FROZEN)
		add_bits(effects->bits[DIFF_SET], rule, effect);
	if (rule->type == RULE_REQUIRE)
		add_bits(effects->bits[DIFF_REQUIRE], rule, effect);
	if (rule->type == RULE_ONCE)
		add_whole(effects, DIFF_ONCE, effect);
	if (rule->type == RULE_UNIFORM)
		add_whole(effects, DIFF_UNIFORM, effect);
	if (rule->type == RULE_DENY && rule->access & ACCESS_READ)
		add_whole(effects, DIFF_READ, effect);
	if (rule->type == RULE_DENY && rule->access & ACCESS_WRITE)
		add_whole(effects, DIFF_WRITE, effect);
	if (rule->type == RULE_VALUE) {
		add_whole(effects, DIFF_VALUE, effect);
		effects->value = rule->value;
	}
}

static bool counts(const struct regpin_policy *policy, const struct rule *rule,
		   const struct when *when)
{
	return !rule->when ||
	       (when && when_same(&policy->whens[rule->when - 1], when));
}

/* What is done about accesses that no rule speaks of: @spoken are ACCESS_*. */
static void add_default(struct effects *effects,
			const struct regpin_policy *policy, uint32_t index,
			unsigned int spoken)
{
	for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
	     access++) {
		const struct rule *rest = judge_default(policy, index, access);

		if (rest && !(spoken & access))
			add_whole(effects, access == ACCESS_READ ?
				  DIFF_READ : DIFF_WRITE, rest->action);
	}
}

static void find_effects(const struct regpin_policy *policy,
			 const struct when *when, unsigned int kind,
			 uint32_t index, struct effects *effects)
{
	unsigned int spoken = 0;

	memset(effects, 0, sizeof(*effects));
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_covers(rule, kind, index) ||
		    !counts(policy, rule, when))
			continue;
		add_rule(effects, rule);
		spoken |= rule_speaks_of(rule);
	}
	if (kind == REGPIN_MSR)
		add_default(effects, policy, index, spoken);
}

static enum diff_class classify(unsigned int from, unsigned int to)
{
	if (from == to)
		return DIFF_CHANGES;
	return to < from ? DIFF_LOOSENS : DIFF_TIGHTENS;
}

static bool continues(const struct policy_change *a,
		      const struct policy_change *b)
{
	return a->count && b->count && a->kind == REGPIN_MSR &&
	       b->kind == REGPIN_MSR && a->index + a->count == b->index &&
	       a->what == b->what && a->bits == b->bits && a->from == b->from &&
	       a->to == b->to && a->from_value == b->from_value &&
	       a->to_value == b->to_value && when_same(&a->when, &b->when);
}

static void add_change(struct policy_diff *diff,
		       const struct policy_change *change)
{
	/* A stretch has a few changes, so the one before is near the end. */
	for (unsigned int i = diff->nr; i-- > 0 && diff->nr - i < 32;) {
		if (!continues(&diff->list[i], change))
			continue;
		diff->list[i].count += change->count;
		return;
	}
	diff->counts[change->class]++;
	if (diff->nr < DIFF_MAX)
		diff->list[diff->nr++] = *change;
}

/* @from and @to are four sets: old and new, and both without the condition. */
static void compare_bits(struct policy_diff *diff, struct policy_change *change,
			 const struct effects e[4], unsigned int what)
{
	const uint8_t *from = e[0].bits[what], *to = e[1].bits[what];
	uint64_t left = 0;

	for (unsigned int i = 0; i < 64; i++)
		if (from[i] != to[i] && (from[i] != e[2].bits[what][i] ||
					 to[i] != e[3].bits[what][i]))
			left |= 1ull << i;
	for (unsigned int i = 0; i < 64; i++) {
		if (!(left >> i & 1))
			continue;
		change->bits = 0;
		for (unsigned int j = i; j < 64; j++)
			if (left >> j & 1 && from[j] == from[i] &&
			    to[j] == to[i])
				change->bits |= 1ull << j;
		left &= ~change->bits;
		change->from = from[i];
		change->to = to[i];
		change->class = (uint8_t)classify(level(from[i]), level(to[i]));
		add_change(diff, change);
	}
	change->bits = 0;
}

static bool whole_same(const struct effects *a, const struct effects *b,
		       unsigned int i)
{
	return a->whole[i] == b->whole[i] &&
	       (i + NR_BITWISE != DIFF_VALUE || a->value == b->value);
}

static void compare_effects(struct policy_diff *diff,
			    struct policy_change *change,
			    const struct effects e[4])
{
	for (unsigned int what = 0; what < NR_BITWISE; what++) {
		change->what = (uint8_t)what;
		compare_bits(diff, change, e, what);
	}
	for (unsigned int i = 0; i < NR_WHOLE; i++) {
		if (whole_same(&e[0], &e[1], i) ||
		    (whole_same(&e[0], &e[2], i) &&
		     whole_same(&e[1], &e[3], i)))
			continue;
		change->what = (uint8_t)(NR_BITWISE + i);
		change->from = e[0].whole[i];
		change->to = e[1].whole[i];
		if (change->what == DIFF_VALUE) {
			change->from_value = e[0].value;
			change->to_value = e[1].value;
		}
		change->class = (uint8_t)classify(level(change->from),
						  level(change->to));
		add_change(diff, change);
	}
}

static void compare_register(const struct comparison *c, unsigned int kind,
			     uint32_t index, uint32_t count)
{
	struct policy_change change = {
		.kind = (uint8_t)kind, .index = index, .count = count,
	};
	/* Without a condition nothing was found before: effects that differ. */
	struct effects e[4];

	find_effects(c->from, c->when, kind, index, &e[0]);
	find_effects(c->to, c->when, kind, index, &e[1]);
	if (c->when) {
		change.when = *c->when;
		find_effects(c->from, NULL, kind, index, &e[2]);
		find_effects(c->to, NULL, kind, index, &e[3]);
	} else {
		memset(&e[2], 0xff, 2 * sizeof(e[0]));
	}
	compare_effects(c->diff, &change, e);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t add_borders(uint64_t *borders, const struct regpin_policy *policy)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind != REGPIN_MSR || rule_is_wide(rule))
			continue;
		borders[nr++] = rule->index;
		borders[nr++] = (uint64_t)rule->index + rule->count;
	}
	return nr;
}

/* Does any rule speak of it? What none does is the defaults' matter. */
static bool spoken_of(const struct comparison *c, uint32_t index)
{
	const unsigned int any = ACCESS_READ | ACCESS_WRITE;

	return policy_rule_on(c->from, REGPIN_MSR, index, any) ||
	       policy_rule_on(c->to, REGPIN_MSR, index, any);
}

static int compare_msrs(const struct comparison *c)
{
	size_t max = 2 * ((size_t)c->from->nr_rules + c->to->nr_rules), nr;
	uint64_t *borders = calloc(max ? max : 1, sizeof(*borders));

	if (!borders)
		return -ENOMEM;
	nr = add_borders(borders, c->from);
	nr += add_borders(borders + nr, c->to);
	qsort(borders, nr, sizeof(*borders), compare_u64);
	for (size_t i = 0; i + 1 < nr; i++)
		if (borders[i] < borders[i + 1] &&
		    spoken_of(c, (uint32_t)borders[i]))
			compare_register(c, REGPIN_MSR, (uint32_t)borders[i],
					 (uint32_t)(borders[i + 1] -
						    borders[i]));
	free(borders);
	return 0;
}

static int compare_rules(const struct comparison *c)
{
	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++)
		if (kind != REGPIN_MSR)
			compare_register(c, kind, 0, 1);
	return compare_msrs(c);
}

/* Each condition of either policy, once. */
static int compare_conditions(struct comparison *c)
{
	int ret = compare_rules(c);

	for (uint32_t i = 0; i < c->from->nr_whens && !ret; i++) {
		c->when = &c->from->whens[i];
		ret = compare_rules(c);
	}
	for (uint32_t i = 0; i < c->to->nr_whens && !ret; i++) {
		bool known = false;

		c->when = &c->to->whens[i];
		for (uint32_t j = 0; j < c->from->nr_whens; j++)
			known |= when_same(c->when, &c->from->whens[j]);
		if (!known)
			ret = compare_rules(c);
	}
	return ret;
}

static void add_setting(struct policy_diff *diff, enum diff_what what,
			uint64_t from, uint64_t to, enum diff_class class)
{
	struct policy_change change = {
		.what = (uint8_t)what, .class = (uint8_t)class,
		.from_value = from, .to_value = to,
	};

	if (from != to)
		add_change(diff, &change);
}

/* Milliseconds after which something is done; 0: never. */
static void add_time(struct policy_diff *diff, enum diff_what what,
		     uint32_t from, uint32_t to)
{
	bool later = from && (!to || to > from);

	add_setting(diff, what, from, to,
		    later ? DIFF_LOOSENS : DIFF_TIGHTENS);
}

static void add_reaction(struct policy_diff *diff, enum diff_what what,
			 uint8_t from, uint8_t to)
{
	add_setting(diff, what, from, to, classify(level(from), level(to)));
}

static void add_accept(struct policy_diff *diff, enum diff_what what,
		       const struct regpin_policy *from,
		       const struct regpin_policy *to, uint32_t flag)
{
	add_setting(diff, what, !!(from->flags & flag), !!(to->flags & flag),
		    to->flags & flag ? DIFF_LOOSENS : DIFF_TIGHTENS);
}

/* How late pins come, at the earliest. */
static unsigned int lateness(uint32_t arming)
{
	return arming == ARM_START ? 0 : arming == ARM_SYSCALL_ENTRY ? 1 : 2;
}

static void compare_settings(struct policy_diff *diff,
			     const struct regpin_policy *from,
			     const struct regpin_policy *to)
{
	const struct settings *a = &from->settings, *b = &to->settings;

	add_setting(diff, DIFF_ARMING, from->arming, to->arming,
		    classify(lateness(to->arming), lateness(from->arming)));
	add_setting(diff, DIFF_REQUEST_MSR, a->request_msr, b->request_msr,
		    DIFF_CHANGES);
	add_accept(diff, DIFF_NESTED, from, to, POLICY_ACCEPT_NESTED);
	add_accept(diff, DIFF_SMM, from, to, POLICY_ACCEPT_SMM);
	add_accept(diff, DIFF_S3, from, to, POLICY_ACCEPT_S3);
	add_time(diff, DIFF_DEADLINE, a->deadline_ms, b->deadline_ms);
	add_reaction(diff, DIFF_DEADLINE_ACTION, a->deadline_action,
		     b->deadline_action);
	add_time(diff, DIFF_DETECT, a->detect_ms, b->detect_ms);
	add_reaction(diff, DIFF_DETECT_ACTION, a->detect_action,
		     b->detect_action);
	add_reaction(diff, DIFF_INIT_ACTION, a->init_action, b->init_action);
	add_setting(diff, DIFF_UNARMED, a->unarmed_ms, b->unarmed_ms,
		    DIFF_CHANGES);
}

static uint8_t default_effect(const struct regpin_policy *policy,
			      unsigned int access)
{
	const struct rule *rest = policy_wide(policy, RULE_DEFAULT);

	return rest && rest->access & access ? rest->action : 0;
}

/* A #GP is as without a rule: then it is only told of or not. */
static void compare_refused(struct policy_diff *diff, enum diff_what what,
			    const struct rule *from, const struct rule *to)
{
	const struct rule *const rules[2] = { from, to };
	struct policy_change change = { .what = (uint8_t)what,
					.class = DIFF_CHANGES };
	uint8_t effect[2] = { 0, 0 };

	for (int i = 0; i < 2; i++)
		if (rules[i])
			effect[i] = rules[i]->action |
				(rules[i]->flags & RULE_ANSWERS ?
					 DIFF_ANSWERS : 0);
	change.from = effect[0];
	change.to = effect[1];
	change.from_value = from ? from->value : 0;
	change.to_value = to ? to->value : 0;
	if (!change.from && change.to == REGPIN_REPORT)
		change.class = DIFF_TIGHTENS;
	if (change.from == REGPIN_REPORT && !change.to)
		change.class = DIFF_LOOSENS;
	if (change.from != change.to || change.from_value != change.to_value)
		add_change(diff, &change);
}

/* What concerns all MSRs at once. */
static void compare_wide(struct policy_diff *diff,
			 const struct regpin_policy *from,
			 const struct regpin_policy *to)
{
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int access = i ? ACCESS_WRITE : ACCESS_READ;
		struct policy_change change = {
			.what = (uint8_t)(DIFF_DEFAULT_READ + i),
			.from = default_effect(from, access),
			.to = default_effect(to, access),
		};

		change.class = (uint8_t)classify(level(change.from),
						 level(change.to));
		if (change.from != change.to)
			add_change(diff, &change);
	}
	compare_refused(diff, DIFF_UNKNOWN, policy_wide(from, RULE_UNKNOWN),
			policy_wide(to, RULE_UNKNOWN));
	compare_refused(diff, DIFF_INVALID, policy_wide(from, RULE_INVALID),
			policy_wide(to, RULE_INVALID));
}

int policy_diff(const struct regpin_policy *from,
		const struct regpin_policy *to, struct policy_diff *diff)
{
	struct comparison c = { .from = from, .to = to, .diff = diff };

	memset(diff, 0, sizeof(*diff));
	compare_settings(diff, from, to);
	compare_wide(diff, from, to);
	return compare_conditions(&c);
}
