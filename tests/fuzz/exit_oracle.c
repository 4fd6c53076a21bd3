// SPDX-License-Identifier: GPL-2.0-only
/* The expected effect of a guest's access. */
#include "exit_oracle.h"
#include "lib/judge/judge.h"
#include "lib/judge/model.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"


#define FILTER		KVM_MSR_EXIT_REASON_FILTER
#define UNKNOWN		KVM_MSR_EXIT_REASON_UNKNOWN
#define INVAL		KVM_MSR_EXIT_REASON_INVAL

uint64_t oracle_effective(const struct toy_vcpu *vcpu, uint32_t index,
			  uint64_t value)
{
	struct toy_vcpu copy = *vcpu;
	int slot = toy_slot(index);

	if (slot >= 0 && toy_write(&copy, index, value, false, false) == TOY_OK)
		return copy.msrs[slot];
	/* KVM refuses the write, and for the rules it counts as written. */
	if (index == MSR_EFER)
		return (value & ~EFER_LMA) | (vcpu->msrs[slot] & EFER_LMA);
	return index == MSR_TSC_AUX ? (uint32_t)value : value;
}

static unsigned int type_of(const struct attempt *a)
{
	return a->access.write ? ACCESS_WRITE : ACCESS_READ;
}

static bool holds(const struct attempt *a, const struct rule *rule)
{
	return !rule->when || a->hold >> (rule->when - 1) & 1;
}

static const struct rule *wide_of(const struct regpin_policy *policy,
				  enum rule_type type)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type == type)
			return &policy->rules[i];
	return NULL;
}

static const struct rule *wide(const struct attempt *a, enum rule_type type)
{
	return wide_of(a->policy, type);
}

uint64_t oracle_reasons(const struct regpin_policy *policy)
{
	return FILTER | (wide_of(policy, RULE_UNKNOWN) ? UNKNOWN : 0) |
	       (wide_of(policy, RULE_INVALID) ? INVAL : 0);
}

static bool vmm_denies(const struct attempt *a)
{
	return a->vmm &&
	       !model_filter_allows(a->vmm, a->access.index, type_of(a));
}

static bool is_request(const struct attempt *a)
{
	return a->access.write && a->policy->settings.request_msr &&
	       a->access.index == a->policy->settings.request_msr;
}

/* These writes arm a vCPU, and end its set-up. */
static bool arms(const struct attempt *a)
{
	bool pins = false;

	for (uint32_t i = 0; i < a->policy->nr_rules; i++)
		pins |= holds(a, &a->policy->rules[i]) &&
			a->policy->rules[i].type < RULE_DENY;
	return pins && a->access.write &&
	       (a->access.index == MSR_LSTAR || a->access.index == MSR_SFMASK);
}

/* Do rules on this register concern the access, and must it exit for them? */
static bool spoken(const struct attempt *a, bool *wanted)
{
	bool is_spoken = false;

	*wanted = false;
	for (uint32_t i = 0; i < a->policy->nr_rules; i++) {
		const struct rule *rule = &a->policy->rules[i];
		bool pin = rule->type < RULE_DENY;

		if (!holds(a, rule) || !speaks_of_register(rule, &a->access) ||
		    !(pin || rule->access & type_of(a)))
			continue;
		is_spoken = true;
		*wanted |= pin ? a->access.write : rule->type != RULE_ALLOW;
	}
	return is_spoken;
}

bool oracle_wants(const struct attempt *a)
{
	const struct rule *rest = wide(a, RULE_DEFAULT);
	bool wanted, is_spoken = spoken(a, &wanted);

	return wanted || arms(a) || is_request(a) ||
	       (!is_spoken && rest &&
		default_holds(a->policy, &a->access, type_of(a), rest));
}

/* It exits only because KVM's default is the same for reads and for writes. */
static bool nowhere(const struct attempt *a)
{
	const struct rule *rest = wide(a, RULE_DEFAULT);
	bool wanted;

	return rest && filter_window_of(a->access.index) < 0 &&
	       !(rest->access & type_of(a)) && !spoken(a, &wanted) &&
	       !is_request(a);
}

static void add_event(struct expected *to, const struct rule *rule,
		      unsigned int action)
{
	to->bits[to->nr] = 0;
	to->rules[to->nr] = rule;
	to->actions[to->nr++] = (uint8_t)action;
}

/* An exit that the VMM may have requested; otherwise KVM would have injected #GP. */
static void vmms(const struct attempt *a, uint32_t reason, uint64_t data,
		 struct expected *to)
{
	to->outcome = a->vmm_mask & reason ? OUT_VMM : OUT_GP;
	to->reason = reason;
	to->value = data;
}

/* KVM does not know the register, or refuses the access. */
static void refused(const struct attempt *a, uint32_t reason, uint64_t data,
		    struct expected *to)
{
	const struct rule *rule = wide(a, reason == UNKNOWN ? RULE_UNKNOWN :
							      RULE_INVALID);

	if (rule && rule->flags & RULE_ANSWERS && !a->access.write) {
		to->outcome = OUT_DONE;
		to->value = rule->value;
		return;
	}
	if (rule && rule->action != REGPIN_GP)
		add_event(to, rule, rule->action);
	if (rule && rule->action == REGPIN_DROP) {
		to->outcome = OUT_DONE;
		to->value = 0;
		return;
	}
	vmms(a, reason, data, to);
}

/* As without regpin, with @value instead of the value written. */
static void as_kvm(const struct attempt *a, uint64_t value,
		   struct expected *to)
{
	uint32_t index = a->access.index;
	enum toy_result result;

	if (vmm_denies(a)) {
		vmms(a, FILTER, value, to);
		return;
	}
	to->value = value;
	result = a->access.write ?
		toy_write(&to->vcpu, index, value, true, a->nested) :
		toy_read(&to->vcpu, index, true, &to->value);
	to->outcome = OUT_DONE;
	if (result == TOY_UNKNOWN && toy.ignore_msrs)
		to->value = 0;
	else if (result != TOY_OK)
		refused(a, result == TOY_UNKNOWN ? UNKNOWN : INVAL, value, to);
}

/* KVM keeps other bits than those asked for. */
static bool is_bent(const struct attempt *a, uint64_t value)
{
	return (a->access.index == MSR_SYSENTER_ESP ||
		a->access.index == MSR_SYSENTER_EIP) &&
	       value + (1ull << 47) >= 1ull << 48;
}

/* The default, if no rule is about the register. */
static uint64_t against_rest(const struct attempt *a, const struct rule *rule)
{
	bool wanted;

	return !spoken(a, &wanted) && default_holds(a->policy, &a->access,
						    type_of(a), rule) ? ALL : 0;
}

/*
 * An event for each rule that @access violates and whose action is @only, or any if
 * that is REGPIN_ACTION_MAX; not for @but.
 */
static void add_each(const struct attempt *a, const struct access *access,
		     unsigned int only, unsigned int action,
		     const struct rule *but, struct expected *to)
{
	for (uint32_t i = 0; i < a->policy->nr_rules; i++) {
		const struct rule *rule = &a->policy->rules[i];
		uint64_t bits = 0;

		/* An access is reported by `report` only if it has no other event. */
		if (!holds(a, rule) || rule->type == RULE_REPORT)
			continue;
		if (rule->type == RULE_REQUIRE ||
		    speaks_of_register(rule, access))
			bits = against(rule, &a->state, access);
		else if (rule->type == RULE_DEFAULT)
			bits = against_rest(a, rule);
		if (!bits || rule == but ||
		    (only != REGPIN_ACTION_MAX && rule->action != only))
			continue;
		add_event(to, rule, action);
		to->bits[to->nr - 1] = bits;
	}
}

/* The write is done although it violates rules, or with some bits kept. */
static void let_pass(const struct attempt *a, const struct verdict *v,
		     struct expected *to)
{
	struct access left = a->access;

	if (v->action == REGPIN_MASK)
		add_each(a, &left, REGPIN_MASK, REGPIN_MASK, v->rule, to);
	if (left.write)
		left.new_value = v->value;
	add_each(a, &left, REGPIN_REPORT, REGPIN_REPORT, v->rule, to);
}

static void paused(const struct attempt *a, const struct verdict *v,
		   struct expected *to)
{
	to->ticket = a->ticket != REGPIN_ACTION_MAX;
	if (!to->ticket) {
		add_event(to, v->rule, v->action);
		add_each(a, &a->access, REGPIN_ACTION_MAX, REGPIN_PAUSE,
			 v->rule, to);
		to->outcome = OUT_HELD;
	} else if (a->ticket == REGPIN_GP) {
		to->outcome = OUT_GP;
	} else {
		as_kvm(a, a->proposed, to);
	}
}

static void judged(const struct attempt *a, struct expected *to)
{
	struct verdict v;

	walk(a->policy, a->hold, &a->state, &a->access, &v);
	if (v.action == REGPIN_PAUSE) {
		paused(a, &v, to);
		return;
	}
	if (v.action == REGPIN_MASK && is_bent(a, v.value))
		v.action = REGPIN_GP;
	if (v.rule)
		add_event(to, v.rule, v.action);
	if (v.rule && v.action <= REGPIN_MASK)
		let_pass(a, &v, to);
	switch (v.action) {
	case REGPIN_STOP:
		to->outcome = OUT_STOPPED;
		return;
	case REGPIN_GP:
		to->outcome = OUT_GP;
		return;
	case REGPIN_DROP:
		to->outcome = OUT_DONE;
		to->value = 0;
		return;
	case REGPIN_MASK:
		as_kvm(a, v.value, to);
		return;
	}
	if (v.answered) {
		to->outcome = OUT_DONE;
		to->value = v.value;
	} else {
		as_kvm(a, a->proposed, to);
	}
}

static void begin(const struct attempt *a, struct expected *to)
{
	memset(to, 0, sizeof(*to));
	to->vcpu = a->vcpu;
}

void oracle_exit(const struct attempt *a, uint32_t reason,
		 struct expected *to)
{
	begin(a, to);
	to->outcome = OUT_FOREIGN;
	if (reason != FILTER && reason != UNKNOWN && reason != INVAL)
		return;
	if (is_request(a))
		to->outcome = OUT_DONE;
	else if (oracle_wants(a))
		judged(a, to);
	else if (reason != FILTER && !nowhere(a))
		refused(a, reason, a->proposed, to);
	else if (nowhere(a) || vmm_denies(a))
		as_kvm(a, a->proposed, to);
	else
		to->outcome = OUT_AGAIN;
}

void oracle_free(const struct attempt *a, struct expected *to)
{
	begin(a, to);
	to->outcome = OUT_AGAIN;
	if (!oracle_wants(a) && !vmm_denies(a))
		as_kvm(a, a->proposed, to);
}

bool oracle_gives(const struct attempt *a, uint64_t value)
{
	const enum rule_type types[] = { RULE_UNKNOWN, RULE_INVALID };
	const struct rule *rule;
	struct verdict v;

	walk(a->policy, a->hold, &a->state, &a->access, &v);
	if ((v.answered && value == v.value) ||
	    (v.action == REGPIN_DROP && !value) ||
	    (nowhere(a) && toy.ignore_msrs && !value))
		return true;
	for (int i = 0; i < 2; i++) {
		rule = wide(a, types[i]);
		if (rule && (rule->flags & RULE_ANSWERS ? value == rule->value :
			     rule->action == REGPIN_DROP && !value))
			return true;
	}
	return false;
}
