// SPDX-License-Identifier: LGPL-2.1-or-later
/* The verdict on one access: what the guest sees. */
#include "judge.h"
#include "lib/policy/action.h"
#include "lib/policy/pins.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

static bool turns_paging_on(const struct access *access)
{
	return access->write && access->kind == REGPIN_CR0 &&
	       ~access->old_value & access->new_value & CR0_PG;
}

/* Does the write clear bits that a vCPU with paging may have to keep? */
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
	/* With this write a kernel has started: see `arming: syscall-entry`. */
	return access->write && access->kind == REGPIN_MSR &&
	       access->index == MSR_LSTAR && access->new_value;
}

/*
 * The bits of @rule that the write clears after the point where `require` is checked. CR4
 * is exempt: Linux clears its bits once more before it sets them for good.
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

/*
 * The bits of @rule that a vCPU lacks while it is brought online. Bits of CR4 are only
 * required at LSTAR, because Linux sets them after those of CR0.
 */
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
	default:	/* EFER is the only MSR that `require` may name */
		own = state->own.efer;
		first = state->first.efer;
		break;
	}
	return rule->mask & first & ~own;
}

/* Does the write violate a rule on the whole register? @have: PINS_* of these rules. */
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
	/* KVM clears some of these registers on INIT: the kernel may restore them. */
	return state->setup_done ? new != state->once : old && !state->leftover;
}

/*
 * The bits of a write that violate @pins; all ones for rules on whole registers. An
 * unarmed vCPU can only violate `uniform`, which binds all vCPUs after the first armed
 * one, and `deny`, which is not a pin and holds from the first instruction. The pins of
 * several rules together are violated if those of one rule are.
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
	/* A guest asks for its pins by this write. */
	if (access == ACCESS_WRITE && policy->settings.request_msr &&
	    index == policy->settings.request_msr)
		return NULL;
	return rule;
}

/* Does @decided, a rule that only reports, give way to @rule, which makes the event? */
static bool yields_to(const struct rule *decided, const struct rule *rule)
{
	return decided && decided->type == RULE_REPORT &&
	       rule->type != RULE_REPORT && rule->action == decided->action;
}

/* Adds to @verdict that @bits of the access violate @rule. The gravest action decides. */
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

/* Applies one rule to the verdict. Returns the bits that must keep their old values. */
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

/* Sets @value: what a read returns, or what the register is to hold after a write. */
static void set_value(const struct access *access, uint64_t restore,
		      struct verdict *verdict)
{
	if (!access->write) {
		/* policy_check() refuses `deny` and `value` on one register. */
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
 * Judges by all rules that may apply, one by one; several may be violated. Not inlined:
 * otherwise accesses that pass would save the registers that this function uses.
 */
static __attribute__((noinline)) void
judge_fully(const struct regpin_policy *policy, const struct judge_state *state,
	    const struct access *access, struct verdict *verdict)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	struct rule_range range = { 0, policy->nr_rules };
	const struct rule *default_rule;
	uint64_t restore = 0;
	bool spoken = false;

	*verdict = (struct verdict){
		.action = REGPIN_ALLOW,
		.value = access->new_value,
	};
	/* The floor's rules also depend on registers other than their own. */
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
	default_rule = spoken || access->kind != REGPIN_MSR ? NULL :
		judge_default(policy, access->index, type);
	if (default_rule)
		add_violation(verdict, default_rule, ~0ull);
	set_value(access, restore, verdict);
}

/*
 * Are all rules that cover the register on the very same registers? Then @policy->pins has
 * their sum, at position @at. Only for sorted policies.
 */
static inline __attribute__((always_inline)) bool
find_rules(const struct regpin_policy *policy, const struct access *access, uint32_t *at)
{
	struct rule_range range = policy_range(policy, access->kind, access->index);
	const struct pins *pins = &policy->pins[range.first];

	*at = range.first;
	/* The range only has rules on this kind of register. */
	return range.first < range.end && access->index - pins->index < pins->count &&
	       (pins->next == range.end ||
		policy->pins[pins->next].index > access->index);
}

/*
 * Judges a write by the sum of the rules' pins, if that is enough. Nearly all writes
 * violate nothing, and most of the others violate the only rule on the register.
 */
static inline __attribute__((always_inline)) void
judge_write(const struct regpin_policy *policy, const struct judge_state *state,
	    const struct access *access, struct verdict *verdict)
{
	const struct rule *rule;
	const struct pins *pins;
	uint64_t bits;
	uint32_t at;

	if (!find_rules(policy, access, &at)) {
		judge_fully(policy, state, access, verdict);
		return;
	}
	rule = &policy->rules[at];
	pins = &policy->pins[at];
	bits = violates(pins, state, access);
	if (!bits && pins->speaks & ACCESS_WRITE) {
		*verdict = (struct verdict){
			.action = REGPIN_ALLOW, .value = access->new_value,
		};
	} else if (bits && pins->next == at + 1) {
		*verdict = (struct verdict){
			.action = rule->action, .rule = rule, .bits = bits,
		};
		set_value(access, rule->action == REGPIN_MASK ? bits : 0, verdict);
	} else {
		/* If no rule exempts the write from it, the policy's default may deny it. */
		judge_fully(policy, state, access, verdict);
	}
}

/*
 * Judges a read: most reads that exit are answered by the only rule on the register. Not
 * inlined, because it needs fewer registers than judge_write().
 */
static __attribute__((noinline)) void
judge_read(const struct regpin_policy *policy, const struct judge_state *state,
	   const struct access *access, struct verdict *verdict)
{
	uint32_t at;

	if (find_rules(policy, access, &at) && policy->pins[at].next == at + 1 &&
	    policy->rules[at].type == RULE_VALUE)
		*verdict = (struct verdict){
			.action = REGPIN_ALLOW, .answered = true,
			.value = policy->rules[at].value,
		};
	else
		judge_fully(policy, state, access, verdict);
}

void judge(const struct regpin_policy *policy, const struct judge_state *state,
	   const struct access *access, struct verdict *verdict)
{
	/* A floor also depends on registers other than its own, and has no pins. */
	if (!policy->sorted || state->floor)
		judge_fully(policy, state, access, verdict);
	else if (access->write)
		judge_write(policy, state, access, verdict);
	else
		judge_read(policy, state, access, verdict);
}

/* Does a rule exempt the access, of @type, from the policy's default? */
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

/* The bits of @access that violate @rule: as violated(), for any rule of the policy. */
static uint64_t violated_by(const struct rule *rule, const struct judge_state *state,
			    const struct access *access)
{
	if (rule->type == RULE_REQUIRE)
		return lacking_bits(rule, state, access);
	return rule_covers(rule, access->kind, access->index) ?
		       violated(rule, state, access) : 0;
}

/* Does @access violate a rule on registers that is not RULE_REPORT? */
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
	/* The default comes once, after all other rules. */
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
