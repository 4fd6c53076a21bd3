// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems of single rules. The rules are checked in the order in which they were
 * written; then policy_pairs.c checks the rules on the same register. policy_bits.c has
 * the checks for control registers only. Blobs are checked here as well, so the checks
 * may only rely on enums that are in range.
 */
#include <stdio.h>

#include "action.h"
#include "check_name.h"
#include "policy.h"
#include "policy_bits.h"
#include "policy_check.h"
#include "policy_pairs.h"
#include "policy_wide.h"
#include "registers.h"
#include "windows.h"

#define MSR_MAX_RANGE		FILTER_WINDOW

/* The ranges that KVM has left if each window uses one for reads and one for writes. */
#define RANGES_ELSEWHERE	(KVM_MSR_FILTER_MAX_RANGES - \
				 2 * FILTER_NR_WINDOWS)

/* `once` and `uniform` need the value that a vCPU was set up with. */
static bool check_kept(struct check *check)
{
	const struct rule *rule = check->rule;
	const struct regpin_register *reg = register_find(rule->kind,
							  rule->index);

	if (rule->kind != REGPIN_MSR || (reg && reg->kept) ||
	    (rule->type != RULE_ONCE && rule->type != RULE_UNIFORM))
		return false;
	rule_problem(check, false,
		     "%s on %s: regpin does not record the values that vCPUs were set up with there: use sticky, never, frozen or deny",
		     check->type, check->subject);
	return true;
}

/* Can userspace perform every access that @rule names? */
static bool all_replay(const struct rule *rule)
{
	uint64_t found = 0;

	for (unsigned int i = register_from(rule->index);
	     i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];
		uint64_t first = rule->index, end = first + rule->count;

		if (reg->index >= end)
			break;
		if (!reg->replay)
			continue;
		if (reg->index > first)
			first = reg->index;
		if ((uint64_t)reg->index + reg->count < end)
			end = (uint64_t)reg->index + reg->count;
		if (first < end)
			found += end - first;
	}
	return found == rule->count;
}

/* A check of one rule returns true if the checks after it would only confuse. */
static bool check_shape(struct check *check)
{
	const struct rule *rule = check->rule;

	if (!rule->mask) {
		rule_problem(check, false,
			     "%s on %s names no bit: name at least one",
			     check->type, check->subject);
		return true;
	}
	if (rule_is_on_values(rule) && rule->count != 1) {
		rule_problem(check, false,
			     "%s needs single registers, not %s: name each in a list",
			     check->type, check->subject);
		return true;
	}
	return false;
}

static bool check_range(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule->kind != REGPIN_MSR)
		return false;
	if ((uint64_t)rule->index + rule->count > 0xffffffffull ||
	    !rule->count) {
		rule_problem(check, false,
			     "%s: KVM can't filter MSR 0xffffffff or beyond: end the range before it",
			     check->subject);
		return true;
	}
	if (rule->count > MSR_MAX_RANGE) {
		rule_problem(check, false,
			     "%s: these are %u MSRs, and KVM filters at most %u (0x%x) in one range: use a smaller range",
			     check->subject, rule->count, MSR_MAX_RANGE,
			     MSR_MAX_RANGE);
		return true;
	}
	return false;
}

static bool check_unfiltered(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule_touches(rule, MSR_KVM_GUEST_SSP, 1)) {
		rule_problem(check, false,
			     "%s: 0x4b564dff (GUEST_SSP) is the number by which KVM gives the guest's SSP to the VMM, and not an MSR of guests: leave it out",
			     check->subject);
		return true;
	}
	/*
	 * KVM may admit accesses to the MSRs below whatever its filter is: a rule may
	 * allow them.
	 */
	if (rule->type == RULE_ALLOW)
		return false;
	if (rule_touches(rule, MSR_X2APIC, MSR_X2APIC_NR)) {
		rule_problem(check, false,
			     "%s: KVM never filters the x2APIC's MSRs, 0x800-0x8ff: leave %s out",
			     check->subject, rule->count == 1 ? "it" : "them");
		return true;
	}
	if ((rule->access & ACCESS_WRITE) &&
	    rule_touches(rule, MSR_TSC_DEADLINE, 1)) {
		rule_problem(check, false,
			     "%s: KVM's fast path takes writes to TSC_DEADLINE (0x6e0) before the filter, on Intel hosts and, since Linux 7, on AMD hosts: leave it out; only deny: read is possible",
			     check->subject);
		return true;
	}
	return false;
}

static bool check_replay(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule->kind != REGPIN_MSR || all_replay(rule))
		return false;
	if (rule_is_on_values(rule)) {
		rule_problem(check, false,
			     "%s on %s: KVM does not perform a filtered WRMSR, and userspace can't perform this one exactly: only allow, value, and deny with gp, drop or stop are possible",
			     check->type, check->subject);
		return true;
	}
	if (rule->type == RULE_REPORT)
		rule_problem(check, false,
			     "report of %s: KVM does not perform a filtered access, and userspace can't perform this one exactly: only allow, value, and deny with gp, drop or stop are possible",
			     check->subject);
	else if (rule->type == RULE_DENY && rule->action == REGPIN_REPORT)
		rule_problem(check, false,
			     "deny of %s can't only report: KVM does not perform a filtered access, and userspace can't perform this one exactly: use action gp, drop or stop, without mode: report",
			     check->subject);
	else if (rule->type == RULE_DENY && rule->action == REGPIN_PAUSE)
		rule_problem(check, false,
			     "deny of %s can't pause: KVM does not perform a filtered access, and userspace can't perform this one exactly, so it could not be allowed: use action gp, drop or stop",
			     check->subject);
	else
		return false;
	return true;
}

static bool check_action(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule->type == RULE_DENY && rule->action == REGPIN_MASK)
		rule_problem(check, false,
			     "deny of %s has no bits to mask: use action gp, drop or stop",
			     check->subject);
	if (rule->kind != REGPIN_MSR && rule->action == REGPIN_DROP)
		rule_problem(check, false,
			     "%s: a write to a control register can't be dropped: use action gp, mask, report, pause or stop",
			     check->subject);
	return false;
}

static bool check_value(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule->type == RULE_REPORT && rule->action != REGPIN_REPORT)
		rule_problem(check, false,
			     "report of %s has no action: it refuses nothing",
			     check->subject);
	if (rule->type == RULE_VALUE &&
	    (rule->access != ACCESS_READ || rule->action != REGPIN_GP))
		rule_problem(check, false,
			     "value of %s is the number that reads return: it has no action, and does not apply to writes",
			     check->subject);
	return false;
}

/*
 * Every system writes these registers after LSTAR, which arms the vCPU. That holds for
 * `arming: request` and `arming: operator` as well: after the command, each further vCPU
 * is armed by its LSTAR.
 */
static bool check_setup(struct check *check)
{
	const struct rule *rule = check->rule;

	if (check->policy->arming == ARM_START ||
	    (rule->type != RULE_FROZEN && rule->type != RULE_NEVER))
		return false;
	if (rule_touches(rule, MSR_CSTAR, 2) || rule_touches(rule, MSR_SYSENTER_CS, 3))
		rule_problem(check, true,
			     "%s: systems write %s after LSTAR, when the vCPU is armed already, so this rule would refuse their own set-up: use uniform or once",
			     check->type, check->subject);
	return false;
}

static bool check_arming(struct check *check)
{
	const struct rule *rule = check->rule;

	if (check->policy->arming == ARM_START ||
	    rule->type != RULE_DENY || !(rule->access & ACCESS_WRITE) ||
	    !action_refuses(rule->action))
		return false;
	if (rule_touches(rule, MSR_LSTAR, 1) || rule_touches(rule, MSR_SFMASK, 1))
		rule_problem(check, false,
			     "%s: unless arming is start, a vCPU is armed by its writes to LSTAR and SFMASK, and this denies them: use uniform or once, or arming: start",
			     check->subject);
	return false;
}

static bool check_hot(struct check *check)
{
	const char *cost = check->rule->action == REGPIN_STOP ?
		"the first access will stop the VM" :
		"every access will be an exit to userspace, a few microseconds each";
	uint32_t first = check->rule->index;
	uint32_t last = first + (check->rule->count - 1);
	char title[REGISTER_TITLE_MAX];
	const char *name = NULL;
	bool others = false;

	/* A rule that hides a register from certain CPUs: guests on them do not use it. */
	if (!rule_wants(check->rule) ||
	    (check->rule->when && check->rule->type == RULE_DENY &&
	     check->rule->access == (ACCESS_READ | ACCESS_WRITE)))
		return false;
	for (unsigned int i = register_from(first); i < regpin_nr_registers;
	     i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->index > last)
			break;
		if (!reg->hot || !register_within(reg, first, last))
			continue;
		others = name;
		if (others)
			break;
		name = register_whole(title, reg);
	}
	if (!name)
		return false;
	if (check->rule->count > 1)
		rule_problem(check, true,
			     "%s: guests use %s%s in normal running: %s",
			     check->subject, name, others ? " and others" : "",
			     cost);
	else
		rule_problem(check, true,
			     "guests use %s in normal running: %s",
			     check->subject, cost);
	return false;
}

/*
 * Why the guest cannot ask for its pins by a write to MSR @index, or NULL. regpin
 * completes such a write, and nothing else happens, so it must be an MSR that no CPU and
 * no hypervisor has.
 */
const char *request_fault(uint32_t index)
{
	if (is_x2apic(index))
		return "KVM never filters the x2APIC's MSRs, 0x800-0x8ff: choose one that no CPU has, such as 0x4b4d5300";
	if (register_find(REGPIN_MSR, index))
		return "guests use this MSR for something else: choose one that no CPU has, such as 0x4b4d5300";
	if (index == UINT32_MAX)
		return "KVM can't filter MSR 0xffffffff: choose another one, such as 0x4b4d5300";
	return NULL;
}

static bool check_request(struct check *check)
{
	uint32_t msr = check->policy->settings.request_msr;

	if (!msr || !(check->rule->access & ACCESS_WRITE) ||
	    !rule_touches(check->rule, msr, 1))
		return false;
	rule_problem(check, false,
		     "%s on %s: guests ask by writes to MSR 0x%x to be armed (request), so no rule can be about them",
		     check->type, check->subject, msr);
	return true;
}

/* Checks the settings. The MSR of `request` may need one of KVM's ranges as well. */
static void check_settings(struct check *check)
{
	uint32_t msr = check->policy->settings.request_msr;
	const char *fault = msr ? request_fault(msr) : NULL;

	if (fault)
		problem_error(check->problems, 0, 0, "request: MSR 0x%x: %s",
			      msr, fault);
	if (msr && filter_window_of(msr) < 0 &&
	    !check->default_rule)
		check->ranges++;
}

/*
 * Outside of the windows every rule needs ranges of its own; with `default: deny`, every
 * rule that allows something.
 */
static bool check_elsewhere(struct check *check)
{
	const bool closed = check->default_rule;
	const struct rule *rule = check->rule;
	int first = filter_window_of(rule->index);

	if (rule->kind != REGPIN_MSR || closed != (rule->type == RULE_ALLOW) ||
	    (first >= 0 &&
	     first == filter_window_of(rule->index + (rule->count - 1))))
		return false;
	check->ranges += (unsigned int)__builtin_popcount(rule->access);
	if (check->ranges > RANGES_ELSEWHERE)
		rule_problem(check, false,
			     "%s: too many rules on MSRs where no CPU has any; KVM has %d ranges left for these, one for each rule's reads, one for its writes, and one for a request's MSR: join or remove some",
			     check->subject, RANGES_ELSEWHERE);
	return false;
}

static void check_rule(struct check *check, const struct rule *rule)
{
	static bool (*const checks[])(struct check *check) = {
		check_shape, check_range, check_unfiltered,
		check_control_register, check_require, check_replay, check_kept,
		check_request, check_action, check_value, check_setup,
		check_arming, check_allow, check_nested, check_hot,
		check_hot_bits, check_elsewhere,
	};

	check_begin(check, rule);
	if (rule_is_wide(rule)) {
		check_wide(check, rule);
		return;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i](check))
			return;
}

unsigned int policy_check(struct regpin_policy *policy,
			  struct problems *problems)
{
	struct check check = { .policy = policy, .problems = problems,
			       .default_rule = policy_wide(policy, RULE_DEFAULT) };
	unsigned int before = problems->errors;

	check_settings(&check);
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		check_rule(&check, &policy->rules[i]);
	check_pairs(&check, policy);
	return problems->errors - before;
}
