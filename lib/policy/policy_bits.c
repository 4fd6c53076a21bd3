// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Problems of a single rule on a control register or on EFER: a part of policy_check.c.
 * A check returns true if the checks after it would only confuse the reader.
 */
#include "check_name.h"
#include "policy.h"
#include "policy_bits.h"
#include "registers.h"

#define CR4_VMXE		(1ull << 13)
#define CR0_HOT			(1ull << 3)	/* TS */
#define CR4_HOT			(1ull << 2 | 1ull << 6 | 1ull << 7 | 1ull << 8)
						/* TSD, MCE, PGE, PCE */

bool check_control_register(struct check *check)
{
	const struct rule *rule = check->rule;

	if (rule->kind == REGPIN_MSR)
		return false;
	if (!rule_type_is_on_bits(rule->type) && rule->type != RULE_REPORT) {
		rule_problem(check, false,
			     "%s is for MSRs: on %s use sticky, never, frozen or report",
			     check->type, check->subject);
		return true;
	}
	if (rule->access & ACCESS_READ) {
		rule_problem(check, false,
			     "%s of %s: no KVM forwards reads of control registers: use write",
			     check->type, check->subject);
		return true;
	}
	if (rule->flags & RULE_OPTIONAL)
		return false;
	rule_problem(check, true,
		     "%s: only a KVM with regpin's CR filter enforces it, and on any other KVM the VMM is not started: add optional: true to have it %s there",
		     check->subject, rule->type == RULE_REQUIRE ?
		     "checked when a vCPU writes LSTAR, and polled," :
		     "polled, so that a violation is detected");
	return false;
}

/*
 * `require` makes the floor for a vCPU that is brought online, so it may only name bits
 * that a kernel sets on each CPU before the CPU runs freely.
 */
bool check_require(struct check *check)
{
	const struct rule *rule = check->rule;
	bool efer = rule_covers(rule, REGPIN_MSR, MSR_EFER);

	if (rule->type != RULE_REQUIRE)
		return false;
	if (rule->kind != REGPIN_CR0 && rule->kind != REGPIN_CR4 && !efer) {
		rule_problem(check, false,
			     "require on %s: a vCPU that is brought online is only checked for bits of CR0, CR4 and EFER",
			     check->subject);
		return true;
	}
	if (!~rule->mask) {
		rule_problem(check, false,
			     "require on %s: name the bits: requiring all 64 would keep every CPU from starting",
			     check->subject);
		return true;
	}
	if (efer && rule->mask & EFER_LMA)
		rule_problem(check, false,
			     "require on EFER: a CPU sets LMA itself when it turns paging on, and never before: leave LMA out");
	if (rule->action != REGPIN_MASK && rule->action != REGPIN_DROP)
		return false;
	rule_problem(check, false,
		     "require on %s can't use this action, as no write could be changed or dropped: use action gp, report, pause or stop",
		     check->subject);
	return true;
}

bool check_nested(struct check *check)
{
	const struct rule *rule = check->rule;
	const char *bit = NULL;

	if (!(check->policy->flags & POLICY_ACCEPT_NESTED) ||
	    rule->type != RULE_NEVER)
		return false;
	if (rule_covers(rule, REGPIN_MSR, MSR_EFER) && rule->mask & EFER_SVME)
		bit = "EFER.SVME";
	else if (rule->kind == REGPIN_CR4 && rule->mask & CR4_VMXE)
		bit = "CR4.VMXE";
	if (bit)
		rule_problem(check, true,
			     "accept: [nested] and never %s contradict each other: a guest can't nest without it",
			     bit);
	return false;
}

/*
 * Bits that kernels change all the time: a pin on one would break the guest, not stop an
 * attack.
 */
bool check_hot_bits(struct check *check)
{
	const struct rule *rule = check->rule;
	const char *cost = "";
	uint64_t hot = 0;
	char bits[BITS_TEXT];

	if (rule->kind == REGPIN_CR0)
		hot = rule->mask & CR0_HOT;
	else if (rule->kind == REGPIN_CR4)
		hot = rule->mask & CR4_HOT;
	if (!hot || rule->type == RULE_NEVER)
		return false;
	if (rule->type == RULE_REPORT) {
		rule_problem(check, true,
			     "kernels change %s in normal running: each change is an exit to userspace and an event",
			     bits_text(bits, sizeof(bits), rule, hot));
		return false;
	}
	if (rule->action == REGPIN_PAUSE)
		cost = ", and the vCPU would be held each time";
	else if (rule->action == REGPIN_STOP)
		cost = ", and so stop the VM";
	rule_problem(check, true,
		     "kernels change %s in normal running and would violate this rule%s: leave %s out",
		     bits_text(bits, sizeof(bits), rule, hot), cost,
		     hot & (hot - 1) ? "these bits" : "this bit");
	return false;
}
