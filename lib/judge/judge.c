// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the guest sees: the verdict on one access. */
#include "judge.h"
#include "lib/policy/action.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

static bool turns_paging_on(const struct access *access)
{
	return access->write && access->kind == REGPIN_CR0 &&
	       ~access->old_value & access->new_value & CR0_PG;
}

/* Does it take bits away that a vCPU with paging may have to keep? */
static bool clears_protection(const struct access *access)
{
	if (!access->write || !(access->old_value & ~access->new_value))
		return false;
	if (access->kind == REGPIN_CR0)
		return access->new_value & CR0_PG;
	return access->kind == REGPIN_MSR && access->index == MSR_EFER;
}

bool judge_needs_own(const struct access *access)
{
	return judge_needs_first(access) || turns_paging_on(access) ||
	       clears_protection(access);
}

bool judge_needs_first(const struct access *access)
{
	/* By this a kernel has come up: see `arming: syscall-entry`. */
	return access->write && access->kind == REGPIN_MSR &&
	       access->index == MSR_LSTAR && access->new_value;
}

/*
 * What the write takes away of @rule's bits, behind the moment at which they had to be
 * there. Not so CR4's: Linux clears them once more before it sets them for good.
 */
static uint64_t taken_bits(const struct rule *rule, const struct judge_state *state,
			   const struct access *access)
{
	uint64_t gone = access->old_value & ~access->new_value & rule->mask;

	if (rule->kind != access->kind)
		return 0;
	if (rule->kind == REGPIN_CR0)
		return gone & state->first.cr0;
	return state->own.cr0 & CR0_PG ? gone & state->first.efer : 0;
}

/* What a vCPU that comes up lacks of @rule's bits. CR4's Linux sets after CR0's. */
static uint64_t lacking_bits(const struct rule *rule, const struct judge_state *state,
			     const struct access *access)
{
	uint64_t own = 0, first = 0;

	if (!state->floor || !judge_needs_own(access))
		return 0;
	if (clears_protection(access) && !turns_paging_on(access))
		return taken_bits(rule, state, access);
	switch (rule->kind) {
	case REGPIN_CR0:
		own = access->kind == REGPIN_CR0 ? access->new_value :
						   state->own.cr0;
		first = state->first.cr0;
		break;
	case REGPIN_CR4:
		if (!judge_needs_first(access))
			return 0;
		own = state->own.cr4;
		first = state->first.cr4;
		break;
	default:	/* EFER is the one MSR that it may speak of */
		own = state->own.efer;
		first = state->first.efer;
		break;
	}
	return rule->mask & first & ~own;
}

/* Does the write violate a rule on the whole register? @have says which there are. */
static inline __attribute__((always_inline)) bool
breaks_whole(unsigned int have, const struct judge_state *state,
	     const struct access *access)
{
	uint64_t old = access->old_value, new = access->new_value;

	if (have & PINS_DENY ||
	    (have & PINS_UNIFORM && state->uniform_known &&
	     new != state->uniform))
		return true;
	if (!(have & PINS_ONCE) || !state->armed || old == new)
		return false;
	/* KVM clears some on INIT: the kernel may put them back. */
	return state->setup_done ? new != state->once : old && !state->leftover;
}

/*
 * The bits of a write that violate @pins; all ones for rules on whole registers. What
 * is not armed yet is not violated, but for `uniform`, which binds the vCPUs that come
 * after the first armed one, and `deny`, which is no pin and holds from the first
 * instruction. Several rules' pins together are violated if one of them is.
 */
static inline __attribute__((always_inline)) uint64_t
violates(const struct pins *pins, const struct judge_state *state,
	 const struct access *access)
{
	uint64_t old = access->old_value, new = access->new_value;

	if (pins->have & ~PINS_BITS && breaks_whole(pins->have, state, access))
		return ~0ull;
	if (!(pins->have & PINS_BITS) || !state->armed)
		return 0;
	return (old & ~new & pins->falls) | (~old & new & pins->rises);
}

/* The bits of @access that violate @rule. */
static uint64_t violated(const struct rule *rule, const struct judge_state *state,
			 const struct access *access)
{
	struct pins pins;

	if (!access->write)
		return (rule->type == RULE_DENY || rule->type == RULE_REPORT) &&
		       rule->access & ACCESS_READ ? ~0ull : 0;
	pins = rule_pins(rule);
	return violates(&pins, state, access);
}

uint64_t judge_pin(const struct rule *rule, const struct judge_state *state,
		   const struct access *access)
{
	return violated(rule, state, access);
}

const struct rule *judge_default(const struct regpin_policy *policy,
				 uint32_t index, unsigned int access)
{
	const struct rule *rule = policy_wide(policy, RULE_DEFAULT);

	if (!rule || !(rule->access & access) || is_x2apic(index))
		return NULL;
	/* By this the guest asks for its pins. */
	if (access == ACCESS_WRITE && policy->settings.request_msr &&
	    index == policy->settings.request_msr)
		return NULL;
	return rule;
}

/* A rule that only reports says nothing where another one has an event already. */
static bool yields_to(const struct rule *decided, const struct rule *rule)
{
	return decided && decided->type == RULE_REPORT &&
	       rule->type != RULE_REPORT && rule->action == decided->action;
}

/* @bits of the access violate @rule. The strongest action decides. */
static void add_violation(struct verdict *verdict, const struct rule *rule, uint64_t bits)
{
	if (action_is_graver(rule->action, verdict->action) || yields_to(verdict->rule, rule)) {
		verdict->action = rule->action;
		verdict->rule = rule;
		verdict->bits = bits;
	} else if (verdict->rule && rule->action == verdict->action &&
		   rule->type == verdict->rule->type &&
		   rule->kind == verdict->rule->kind) {
		verdict->bits |= bits;
	}
}

/* One rule's part. Returns the bits that are to stay as they were. */
static uint64_t judge_by(const struct rule *rule, const struct judge_state *state,
			 const struct access *access, struct verdict *verdict)
{
	uint64_t bits;

	if (rule->type == RULE_VALUE && !access->write) {
		verdict->answered = true;
		verdict->value = rule->value;
		return 0;
	}
	bits = rule->type == RULE_REQUIRE ? lacking_bits(rule, state, access) :
					    violated(rule, state, access);
	if (!bits)
		return 0;
	add_violation(verdict, rule, bits);
	return rule->action == REGPIN_MASK ? bits : 0;
}

/* What is read, and what the register holds afterwards. */
static void set_value(const struct access *access, uint64_t restore,
		      struct verdict *verdict)
{
	if (!access->write) {
		/* `deny` and `value` on one register don't pass the checks. */
		if (!verdict->answered)
			verdict->value = verdict->action == REGPIN_DROP ?
						 0 : access->old_value;
	} else if (action_refuses(verdict->action)) {
		verdict->value = access->old_value;
	} else {
		verdict->value = (access->new_value & ~restore) |
				 (access->old_value & restore);
	}
}

/*
 * All rules that may have a say, of which several may have something against it. Not
 * inlined: its registers would have to be saved for those that pass as well.
 */
static __attribute__((noinline)) void
judge_fully(const struct regpin_policy *policy, const struct judge_state *state,
	    const struct access *access, struct verdict *verdict)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	struct rule_range range = { 0, policy->nr_rules };
	const struct rule *rest;
	uint64_t restore = 0;
	bool spoken = false;

	*verdict = (struct verdict){
		.action = REGPIN_ALLOW,
		.value = access->new_value,
	};
	/* The floor's rules look at other registers than their own, too. */
	if (!state->floor)
		range = policy_range(policy, access->kind, access->index);
	for (uint32_t i = range.first; i < range.end; i++) {
		const struct rule *rule = &policy->rules[i];
		bool covers = rule_covers(rule, access->kind, access->index);

		if (!state->floor &&
		    rule_is_after(policy, rule, access->index))
			break;
		if (!covers && rule->type != RULE_REQUIRE)
			continue;
		spoken |= covers && rule_speaks_of(rule) & type;
		restore |= judge_by(rule, state, access, verdict);
	}
	rest = spoken || access->kind != REGPIN_MSR ? NULL :
		judge_default(policy, access->index, type);
	if (rest)
		add_violation(verdict, rest, ~0ull);
	set_value(access, restore, verdict);
}

/*
 * Nearly all accesses violate nothing: that is found out first, without what is to be
 * done about it, and for all rules on the register at once. If it says no, the walk
 * through the rules decides. Where there is no floor, nothing is required.
 */
static inline bool passes(const struct regpin_policy *policy,
			  const struct judge_state *state,
			  const struct access *access, struct verdict *verdict)
{
	uint32_t index = access->index;
	unsigned int speaks = 0;
	struct rule_range range;

	if (!access->write || !policy->sorted || state->floor)
		return false;
	range = policy_range(policy, access->kind, index);
	/* Only rules on this kind of register are in the range. */
	for (uint32_t i = range.first; i < range.end;) {
		const struct pins *pins = &policy->pins[i];

		if (pins->index > index)
			break;
		i = pins->next;
		if (index - pins->index >= pins->count)
			continue;
		if (violates(pins, state, access))
			return false;
		speaks |= pins->speaks;
	}
	/* Else the policy's default may have something to say. */
	if (!(speaks & ACCESS_WRITE))
		return false;
	*verdict = (struct verdict){
		.action = REGPIN_ALLOW, .value = access->new_value,
	};
	return true;
}

void judge(const struct regpin_policy *policy, const struct judge_state *state,
	   const struct access *access, struct verdict *verdict)
{
	if (!passes(policy, state, access, verdict))
		judge_fully(policy, state, access, verdict);
}

/* Does a rule speak of the register, so that the policy's default does not? */
static bool is_spoken_of(const struct regpin_policy *policy,
			 const struct access *access, unsigned int type)
{
	struct rule_range range = policy_range(policy, access->kind,
					       access->index);

	for (uint32_t i = range.first; i < range.end; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule_is_after(policy, rule, access->index))
			break;
		if (rule_covers(rule, access->kind, access->index) &&
		    rule_speaks_of(rule) & type)
			return true;
	}
	return false;
}

/* As violated(), for any rule of the policy. */
static uint64_t violated_by(const struct rule *rule, const struct judge_state *state,
			    const struct access *access)
{
	if (rule->type == RULE_REQUIRE)
		return lacking_bits(rule, state, access);
	return rule_covers(rule, access->kind, access->index) ?
		       violated(rule, state, access) : 0;
}

/* Does @access violate any rule on registers but those that only report? */
static bool violates_other(const struct regpin_policy *policy,
			   const struct judge_state *state,
			   const struct access *access)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->type != RULE_REPORT && !rule_is_wide(rule) &&
		    violated_by(rule, state, access))
			return true;
	}
	return false;
}

const struct rule *judge_next(const struct regpin_policy *policy,
			      const struct judge_state *state,
			      const struct access *access, uint32_t *at,
			      uint64_t *bits)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	struct rule_range range = { 0, policy->nr_rules };

	if (!state->floor)
		range = policy_range(policy, access->kind, access->index);
	if (*at < range.first)
		*at = range.first;
	while (*at < range.end) {
		const struct rule *rule = &policy->rules[(*at)++];

		if (!state->floor &&
		    rule_is_after(policy, rule, access->index))
			*at = range.end;
		*bits = violated_by(rule, state, access);
		if (*bits && !(rule->type == RULE_REPORT &&
			       violates_other(policy, state, access)))
			return rule;
	}
	/* Once, and behind all others. */
	if (*at > policy->nr_rules || access->kind != REGPIN_MSR ||
	    is_spoken_of(policy, access, type))
		return NULL;
	*at = policy->nr_rules + 1;
	*bits = ~0ull;
	return judge_default(policy, access->index, type);
}

void judge_refused(const struct regpin_policy *policy, enum rule_type type,
		   const struct access *access, struct verdict *verdict)
{
	const struct rule *rule = policy_wide(policy, type);

	*verdict = (struct verdict){
		.action = REGPIN_ALLOW,
		.value = access->old_value,
	};
	if (rule && rule->flags & RULE_ANSWERS && !access->write) {
		verdict->answered = true;
		verdict->value = rule->value;
	} else if (rule && rule->action != REGPIN_GP) {
		add_violation(verdict, rule, ~0ull);
		if (!access->write)
			verdict->value = 0;
	}
}
