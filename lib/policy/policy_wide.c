// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems of the rules of a whole policy (default, unknown, invalid), and of rules that
 * allow registers although the default denies: a part of policy_check.c.
 */
#include "policy.h"
#include "policy_wide.h"
#include "registers.h"

/* Do rules without `when` exempt @access to each of the @count MSRs from the default? */
static bool is_spoken_of(const struct regpin_policy *policy, uint32_t index,
			 uint32_t count, unsigned int access)
{
	for (uint32_t msr = index; msr - index < count; msr++) {
		unsigned int left = access;

		for (uint32_t i = 0; i < policy->nr_rules; i++)
			if (!policy->rules[i].when &&
			    rule_covers(&policy->rules[i], REGPIN_MSR, msr))
				left &= ~rule_speaks_of(&policy->rules[i]);
		if (left)
			return false;
	}
	return true;
}

static const char *const cannot_report_text =
	"default: deny can't only report: KVM does not perform a filtered access, and userspace can perform few of them exactly: leave mode: report out, or try the policy without its default";

static void check_default_action(struct check *check)
{
	switch (check->rule->action) {
	case REGPIN_GP:
	case REGPIN_DROP:
	case REGPIN_STOP:
		break;
	case REGPIN_REPORT:
		rule_problem(check, false, "%s", cannot_report_text);
		break;
	case REGPIN_PAUSE:
		rule_problem(check, false,
			     "default: deny can't pause: KVM does not perform a filtered access, so it could not be allowed: write its action, {deny: both, action: gp}, or drop or stop");
		break;
	default:
		rule_problem(check, false,
			     "default: deny has no bits to mask: write its action, {deny: both, action: gp}, or drop or stop");
		break;
	}
}

/* Writes to LSTAR and SFMASK arm a vCPU, which only matters if there are pins. */
static void check_default_arming(struct check *check)
{
	static const struct {
		uint32_t index;
		const char *name;
	} msrs[] = { { MSR_LSTAR, "LSTAR" }, { MSR_SFMASK, "SFMASK" } };
	const struct regpin_policy *policy = check->policy;

	if (policy->arming == ARM_START || !policy_has_pins(policy) ||
	    !(check->rule->access & ACCESS_WRITE))
		return;
	for (int i = 0; i < 2; i++)
		if (!is_spoken_of(policy, msrs[i].index, 1, ACCESS_WRITE))
			rule_problem(check, false,
				     "default: deny, and no rule without `when` on writes to %s: unless arming is start, a vCPU is armed by its writes to LSTAR and SFMASK: allow it, or use uniform or once",
				     msrs[i].name);
}

/* Accesses that KVM allows in spite of the default: a warning, unless a rule names them. */
static void check_default_holes(struct check *check)
{
	const struct regpin_policy *policy = check->policy;
	unsigned int access = check->rule->access;

	if (!is_spoken_of(policy, MSR_X2APIC, MSR_X2APIC_NR, access))
		rule_problem(check, true,
			     "default: deny does not hold for the x2APIC's MSRs, 0x800-0x8ff, which KVM never filters: write a rule with register: 0x800-0x8ff and allow: both, so that the policy says so");
	if (access & ACCESS_WRITE &&
	    !is_spoken_of(policy, MSR_TSC_DEADLINE, 1, ACCESS_WRITE))
		rule_problem(check, true,
			     "default: deny does not hold for writes to TSC_DEADLINE (0x6e0) on Intel hosts and, since Linux 7, on AMD hosts, where KVM's fast path takes them before the filter: allow it, or accept that it depends on the host");
}

static void check_default(struct check *check)
{
	check_default_action(check);
	check_default_arming(check);
	check_default_holes(check);
}

static void check_refused(struct check *check)
{
	uint8_t action = check->rule->action;

	if (action != REGPIN_GP && action != REGPIN_REPORT &&
	    action != REGPIN_DROP)
		rule_problem(check, false,
			     "%s: an access that KVM refuses can't be allowed later, so its action is gp, report or drop",
			     check->type);
}

void check_wide(struct check *check, const struct rule *rule)
{
	if (policy_wide(check->policy, rule->type) != rule)
		rule_problem(check, false, "%s is in this policy twice",
			     check->type);
	if (rule == check->default_rule)
		check_default(check);
	else if (rule->type != RULE_DEFAULT)
		check_refused(check);
}

bool check_allow(struct check *check)
{
	const struct rule *rule = check->rule;
	const struct rule *default_rule = check->default_rule;

	if (rule->type != RULE_ALLOW)
		return false;
	if (rule->action != REGPIN_GP)
		rule_problem(check, false,
			     "allow of %s has no action: an access that is allowed never violates it",
			     check->subject);
	if (!default_rule || !(default_rule->access & rule->access))
		rule_problem(check, true,
			     "allow of %s has no effect: without default: deny it is allowed anyway",
			     check->subject);
	return false;
}
