// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two policies compared, register by register. The MSRs are cut into stretches
 * within which no rule of either policy begins or ends; the effects of both on
 * a stretch are compared bit by bit, and equal changes are joined again.
 *
 * First the rules without a condition are compared. Then, for each condition that either
 * policy has, the rules under it are compared together with those without a condition;
 * changes that were found already are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/judge.h"
#include "lib/policy/pins.h"
#include "lib/policy/policy.h"
#include "lib/policy/when.h"
#include "policy_diff.h"
#include "policy_diff_whole.h"


/* Kinds of changes to single bits, and to whole registers, in the order of diff_what. */
#define NR_BITWISE	(DIFF_REQUIRE + 1)
#define NR_WHOLE	(DIFF_VALUE + 1 - NR_BITWISE)

/**
 * struct effects - the effects of a policy on accesses to one register
 * @bits: for each bit: 0 or an action, as in struct policy_change
 * @whole: for the register as a whole, by kind of change
 * @value: the constant that reads return
 */
struct effects {
	uint8_t bits[NR_BITWISE][64];
	uint8_t whole[NR_WHOLE];
	uint64_t value;
};

/**
 * struct comparison - a comparison of two policies
 * @from: the old policy
 * @to: the new one
 * @when: rules under this condition count as well; NULL: only those without
 * @diff: the list that changes are added to
 */
struct comparison {
	const struct regpin_policy *from, *to;
	const struct when *when;
	struct policy_diff *diff;
};

/* If several rules judge one access, the strongest action decides. */
static void strengthen(uint8_t *effect, uint8_t other)
{
	if (diff_level(other) > diff_level(*effect) ||
	    (diff_level(other) == diff_level(*effect) && other > *effect))
		*effect = other;
}

static void add_bits(uint8_t effects[64], uint64_t bits, uint8_t effect)
{
	for (unsigned int i = 0; i < 64; i++)
		if (bits >> i & 1)
			strengthen(&effects[i], effect);
}

static void add_whole(struct effects *effects, enum diff_what what,
		      uint8_t effect)
{
	strengthen(&effects->whole[what - NR_BITWISE], effect);
}

/* The rule applies to each access of its kinds, whatever the value is. */
static void add_accesses(struct effects *effects, const struct rule *rule,
			 uint8_t effect)
{
	if (rule->access & ACCESS_READ)
		add_whole(effects, DIFF_READ, effect);
	if (rule->access & ACCESS_WRITE)
		add_whole(effects, DIFF_WRITE, effect);
}

/* The switch has no default, so that the compiler asks for the effects of a new type. */
static void add_rule(struct effects *effects, const struct rule *rule)
{
	uint8_t effect = rule->action;
	struct pins pins = rule_pins(rule);

	if (rule->flags & RULE_DETECT && effect != REGPIN_REPORT)
		effect |= DIFF_DETECTED;
	add_bits(effects->bits[DIFF_CLEAR], pins.falls, effect);
	add_bits(effects->bits[DIFF_SET], pins.rises, effect);
	switch ((enum rule_type)rule->type) {
	case RULE_REQUIRE:
		add_bits(effects->bits[DIFF_REQUIRE], rule->mask, effect);
		break;
	case RULE_ONCE:
		add_whole(effects, DIFF_ONCE, effect);
		break;
	case RULE_UNIFORM:
		add_whole(effects, DIFF_UNIFORM, effect);
		break;
	case RULE_REPORT:
		/* A rule on a control register reports its bits. */
		if (rule->kind == REGPIN_MSR)
			add_accesses(effects, rule, effect);
		break;
	case RULE_DENY:
		add_accesses(effects, rule, effect);
		break;
	case RULE_VALUE:
		add_whole(effects, DIFF_VALUE, effect);
		effects->value = rule->value;
		break;
	case RULE_STICKY:
	case RULE_NEVER:
	case RULE_FROZEN:	/* all in rule_pins() */
	case RULE_ALLOW:	/* see add_default() */
	case RULE_DEFAULT:
	case RULE_UNKNOWN:
	case RULE_INVALID:	/* rules on the whole policy: policy_diff_whole.c */
	case RULE_TYPE_MAX:
		break;
	}
}

static bool counts(const struct regpin_policy *policy, const struct rule *rule,
		   const struct when *when)
{
	return !rule->when ||
	       (when && when_same(&policy->whens[rule->when - 1], when));
}

/* Adds the effects of `default` on accesses without a rule: those not in @spoken. */
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

/* Is a change of this kind a write of the register, which DIFF_WRITE covers as well? */
static bool is_write(unsigned int what)
{
	return what == DIFF_CLEAR || what == DIFF_SET || what == DIFF_ONCE ||
	       what == DIFF_UNIFORM;
}

/*
 * The stronger one of @effect and the effect of @e on all writes of the register: where all
 * writes are denied, it makes no difference whether a bit is pinned.
 */
static uint8_t with_writes(const struct effects *e, unsigned int what,
			   uint8_t effect)
{
	if (is_write(what))
		strengthen(&effect, e->whole[DIFF_WRITE - NR_BITWISE]);
	return effect;
}

/* @e has four sets: the old and the new effects, and both without the condition. */
static void compare_bits(struct policy_diff *diff, struct policy_change *change,
			 const struct effects e[4], unsigned int what)
{
	uint8_t from[64], to[64];
	uint64_t left = 0;

	for (unsigned int i = 0; i < 64; i++) {
		uint8_t old = e[0].bits[what][i], new = e[1].bits[what][i];

		from[i] = with_writes(&e[0], what, old);
		to[i] = with_writes(&e[1], what, new);
		if (old != new && from[i] != to[i] &&
		    (old != e[2].bits[what][i] || new != e[3].bits[what][i]))
			left |= 1ull << i;
	}
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
		change->class = (uint8_t)diff_classify(diff_level(from[i]), diff_level(to[i]));
		diff_add(diff, change);
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
		change->from = with_writes(&e[0], change->what, e[0].whole[i]);
		change->to = with_writes(&e[1], change->what, e[1].whole[i]);
		if (change->from == change->to && is_write(change->what))
			continue;
		if (change->what == DIFF_VALUE) {
			change->from_value = e[0].value;
			change->to_value = e[1].value;
		}
		change->class = (uint8_t)diff_classify(diff_level(change->from),
						  diff_level(change->to));
		diff_add(diff, change);
	}
}

static void compare_register(const struct comparison *c, unsigned int kind,
			     uint32_t index, uint32_t count)
{
	struct policy_change change = {
		.kind = (uint8_t)kind, .index = index, .count = count,
	};
	/*
	 * The old and the new effects, and both without the condition. If there is no
	 * condition, the last two get values that no effect equals, because no change was
	 * found before.
	 */
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

/* Is there a rule on this MSR? MSRs without one are compared by their defaults. */
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

/* Compares the policies under each condition that one of them has. */
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

/* The changes that loosen come first, because a reader may stop early. */
static int sort_by_class(struct policy_diff *diff)
{
	struct policy_change *sorted;
	unsigned int nr = 0;

	if (!diff->nr)
		return 0;
	sorted = calloc(diff->nr, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (unsigned int class = 0; class < DIFF_CLASS_MAX; class++)
		for (unsigned int i = 0; i < diff->nr; i++)
			if (diff->list[i].class == class)
				sorted[nr++] = diff->list[i];
	free(diff->list);
	diff->list = sorted;
	diff->room = diff->nr;
	return 0;
}

int policy_diff(const struct regpin_policy *from,
		const struct regpin_policy *to, struct policy_diff *diff)
{
	struct comparison c = { .from = from, .to = to, .diff = diff };
	int err;

	memset(diff, 0, sizeof(*diff));
	diff_whole(diff, from, to);
	err = compare_conditions(&c);
	if (!err)
		err = diff->err;
	return err ? err : sort_by_class(diff);
}
