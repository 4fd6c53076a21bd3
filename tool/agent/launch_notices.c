// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "base/words.h"
#include "launch_notices.h"
#include "policy/effective.h"
#include "policy/policy_mode.h"
#include "policy/problems.h"

/* With `arming: start` no vCPU is ever unarmed, so it has no deadline. */
static bool deadline_pauses(const struct regpin_policy *policy)
{
	const struct settings *s = &policy->settings;

	return s->deadline_action == REGPIN_PAUSE && s->deadline_ms &&
	       policy->arming != ARM_START && policy_has_pins(policy);
}

bool launch_needs_operator(const struct regpin_policy *policy, bool answered)
{
	const struct settings *s = &policy->settings;

	if (policy->arming == ARM_OPERATOR)
		return true;
	if (answered)
		return false;
	if (s->init_action == REGPIN_PAUSE ||
	    s->detect_action == REGPIN_PAUSE || deadline_pauses(policy))
		return true;
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].action == REGPIN_PAUSE)
			return true;
	return false;
}

static void print_mode(const struct launch *launch)
{
	struct policy_tally tally = policy_tally(&launch->policy,
						 launch->table.left_out);
	enum policy_mode own = launch->written.own, mode = launch->mode;

	if (mode != MODE_POLICY && mode != own)
		fprintf(stderr, "regpin: mode %s by --mode: it replaces the policy's own 'mode: %s'\n",
			policy_mode_names[mode], policy_mode_names[own]);
	if (mode == MODE_ENFORCE && tally.report)
		fprintf(stderr, "regpin: warning: in mode enforce, too, %u of %u rule%s only report%s, because of 'action: report' or 'mode: report' in the rules themselves\n",
			tally.report, tally.rules, plural(tally.rules),
			tally.rules == 1 ? "s" : "");
}

/* "mode enforce" alone would read as if all rules were enforced. */
static void print_tally(const struct launch *launch)
{
	struct policy_tally tally = policy_tally(&launch->policy,
						 launch->table.left_out);
	char mode[128], rules[128];

	if (tally.enforced == tally.rules)
		return;
	policy_mode_text(mode, sizeof(mode), &launch->policy, launch->written.own,
			 launch->mode);
	fprintf(stderr, "regpin: %s: %s (%s)\n", launch->policy.source, mode,
		policy_tally_text(rules, sizeof(rules), &tally));
}

/* The agent reports each of these rules as an event. */
static void print_degraded(const struct launch *launch)
{
	unsigned int polled = 0, left_out;

	for (unsigned int i = 0; i < launch->nr_degraded; i++)
		polled += !!(launch->degraded[i].flags & RULE_DETECT);
	left_out = launch->nr_degraded - polled;
	if (launch->nr_degraded)
		fprintf(stderr, "regpin: degraded: %u of %u rule%s can't be enforced on this host (%u only polled, %u left out); 'regpin probe POLICY' prints which and why\n",
			launch->nr_degraded, launch->policy.nr_rules + left_out,
			plural(launch->policy.nr_rules + left_out), polled, left_out);
	if (launch->init_why)
		fprintf(stderr, "regpin: degraded: %s: 'init: %s' can't be done on this host: %s\n",
			launch->policy.source,
			regpin_action_names[launch->policy.settings.init_action],
			launch->init_why);
}

static void print_rules_left(const struct regpin_policy *policy)
{
	unsigned int enforced = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		enforced += !(policy->rules[i].flags & RULE_DETECT);
	if (!policy->nr_rules)
		fprintf(stderr, "regpin: warning: no rule of the policy is left on this host: nothing will be enforced\n");
	else if (!enforced)
		fprintf(stderr, "regpin: warning: no rule of the policy can be enforced on this host: violations will be detected afterwards\n");
}

void launch_print_notices(struct launch *launch)
{
	problems_print(launch->warnings, launch->written.name, stderr);
	problems_free(launch->warnings);
	launch->warnings = NULL;
	print_mode(launch);
	print_tally(launch);
	print_degraded(launch);
	print_rules_left(&launch->policy);
	if (launch->no_ctl && launch_needs_operator(&launch->policy, launch->answer_ms))
		fprintf(stderr, "regpin: warning: the policy holds vCPUs or waits for an operator, and with --no-ctl no operator can answer: leave --no-ctl out, add --answer-after (for vCPUs that are held), or use 'floor: {action: report}' and other actions than pause\n");
}
