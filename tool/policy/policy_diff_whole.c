// SPDX-License-Identifier: GPL-2.0-only
/* Comparison of two policies: their settings, and their rules on all MSRs at once. */
#include "acceptance.h"
#include "policy_diff_whole.h"

static void add_setting(struct policy_diff *diff, enum diff_what what,
			uint64_t from, uint64_t to, enum diff_class class)
{
	struct policy_change change = {
		.what = (uint8_t)what, .class = (uint8_t)class,
		.from_value = from, .to_value = to,
	};

	if (from != to)
		diff_add(diff, &change);
}

/* Compares times, in milliseconds, after which an action is taken; 0: never. */
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
	add_setting(diff, what, from, to, diff_classify(diff_level(from), diff_level(to)));
}

static void add_accept(struct policy_diff *diff, enum diff_what what,
		       const struct regpin_policy *from,
		       const struct regpin_policy *to, uint32_t flag)
{
	enum acceptance before = acceptance(from, flag);
	enum acceptance after = acceptance(to, flag);

	/* A feature that can end no pins of a policy is in effect accepted. */
	before = before == NO_PINS ? ACCEPTED : before;
	after = after == NO_PINS ? ACCEPTED : after;
	if ((from->flags ^ to->flags) & flag)
		add_setting(diff, what, before, after,
			    to->flags & flag ? DIFF_LOOSENS : DIFF_TIGHTENS);
}

/* How late vCPUs are armed: the later, the higher. */
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
		    diff_classify(lateness(to->arming), lateness(from->arming)));
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

/* Without a rule the access gets KVM's #GP; `report` keeps that #GP, and adds an event. */
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
		diff_add(diff, &change);
}

/* Compares default, unknown and invalid. */
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

		change.class = (uint8_t)diff_classify(diff_level(change.from),
						 diff_level(change.to));
		if (change.from != change.to)
			diff_add(diff, &change);
	}
	compare_refused(diff, DIFF_UNKNOWN, policy_wide(from, RULE_UNKNOWN),
			policy_wide(to, RULE_UNKNOWN));
	compare_refused(diff, DIFF_INVALID, policy_wide(from, RULE_INVALID),
			policy_wide(to, RULE_INVALID));
}

void diff_whole(struct policy_diff *diff, const struct regpin_policy *from,
		const struct regpin_policy *to)
{
	compare_settings(diff, from, to);
	compare_wide(diff, from, to);
}
