// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the guest sees: the verdict on one access. */
#include "judge.h"
#include "registers.h"

static bool turns_paging_on(const struct access *access)
{
	return access->write && access->kind == REGPIN_CR0 &&
	       ~access->old_value & access->new_value & CR0_PG;
}

/* Does it take bits away that a vCPU with paging may have to keep? */
static bool clears(const struct access *access)
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
	       clears(access);
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
static uint64_t taken(const struct rule *rule, const struct state *state,
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
static uint64_t lacking(const struct rule *rule, const struct state *state,
			const struct access *access)
{
	uint64_t own = 0, first = 0;

	if (!state->floor || !judge_needs_own(access))
		return 0;
	if (clears(access) && !turns_paging_on(access))
		return taken(rule, state, access);
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

/*
 * The bits of @access that violate @rule. Rules on whole registers answer all
 * ones. A rule that is not armed yet is not violated, but for `uniform`, which
 * binds the vCPUs that come after the first armed one, and `deny`, which is no
 * pin and holds from the first instruction.
 */
static uint64_t violated(const struct rule *rule, const struct state *state,
			 const struct access *access)
{
	uint64_t old = access->old_value, new = access->new_value;
	bool changed = old != new;

	if (rule->type == RULE_DENY)
		return rule->access & (access->write ? ACCESS_WRITE :
						       ACCESS_READ) ? ~0ull : 0;
	if (!access->write)
		return 0;

	switch ((enum rule_type)rule->type) {
	case RULE_UNIFORM:
		return state->uniform_known && new != state->uniform ? ~0ull :
								       0;
	case RULE_STICKY:
		return state->armed ? old & ~new & rule->mask : 0;
	case RULE_NEVER:
		return state->armed ? ~old & new & rule->mask : 0;
	case RULE_FROZEN:
		return state->armed ? (old ^ new) & rule->mask : 0;
	case RULE_ONCE:
		if (!state->armed || !changed)
			return 0;
		/* KVM clears some on INIT: the kernel may put them back. */
		if (state->setup_done)
			return new != state->once ? ~0ull : 0;
		return old && !state->reborn ? ~0ull : 0;
	case RULE_VALUE:
		return 0;
	case RULE_REQUIRE:
	case RULE_DENY:
	case RULE_TYPE_MAX:
		break;
	}
	/* Not a rule that this code knows: the blob's reader let it in. */
	return ~0ull;
}

void judge(const struct regpin_policy *policy, const struct state *state,
	   const struct access *access, struct verdict *verdict)
{
	uint64_t restore = 0;

	*verdict = (struct verdict){
		.action = REGPIN_ALLOW,
		.value = access->new_value,
	};

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		uint64_t bits;

		if (rule->type != RULE_REQUIRE &&
		    !rule_covers(rule, access->kind, access->index))
			continue;
		if (rule->type == RULE_VALUE && !access->write) {
			verdict->answered = true;
			verdict->value = rule->value;
			continue;
		}
		bits = rule->type == RULE_REQUIRE ?
			       lacking(rule, state, access) :
			       violated(rule, state, access);
		if (!bits)
			continue;
		if (rule->action == REGPIN_MASK)
			restore |= bits;
		if (rule->action > verdict->action) {
			verdict->action = rule->action;
			verdict->rule = rule;
			verdict->bits = bits;
		} else if (verdict->rule && rule->action == verdict->action &&
			   rule->type == verdict->rule->type &&
			   rule->kind == verdict->rule->kind) {
			verdict->bits |= bits;
		}
	}

	if (!access->write) {
		/* `deny` and `value` on one register don't pass the checks. */
		if (!verdict->answered)
			verdict->value = verdict->action == REGPIN_DROP ?
						 0 : access->old_value;
	} else if (verdict->action >= REGPIN_DROP) {
		verdict->value = access->old_value;
	} else {
		verdict->value = (access->new_value & ~restore) |
				 (access->old_value & restore);
	}
}
