// SPDX-License-Identifier: GPL-2.0-only
/* regpin run: the policy on this host. */
#include <errno.h>
#include <stdio.h>

#include "agent/launch_state.h"
#include "base/exit_codes.h"
#include "policy/policy_fit.h"
#include "policy/unfit.h"
#include "run_fit.h"

static void print_refused_rule(void *context, const struct unfit *first,
			       const char *text, const char *others)
{
	const struct launch *launch = context;
	char place[PLACE_MAX];

	if (first->fitted != FIT_REFUSED)
		return;
	fprintf(stderr, "regpin: %s: %s: %s%s\n",
		policy_place(place, &launch->policy, first->rule.line,
			     first->rule.column),
		text, first->why, others);
}

/*
 * Prints the rules for which the VMM is not started, and keeps the others for events. Returns
 * the number of the former, or -ENOMEM.
 */
static int fit_rules(struct launch *launch)
{
	static struct unfits unfits;
	unsigned int refused = policy_fit(&launch->policy, &launch->host,
					  unfits_add, &unfits);

	unfits_print(&unfits, &launch->policy, print_refused_rule, launch);
	if (rule_table_make(&launch->table, &launch->policy, &unfits))
		return -ENOMEM;
	for (uint32_t i = 0; i < unfits.nr; i++) {
		if (unfits.list[i].fitted == FIT_REFUSED)
			continue;
		launch->degraded[launch->nr_degraded] = unfits.list[i].rule;
		launch->degraded_why[launch->nr_degraded++] =
			unfits.list[i].why;
	}
	return (int)refused;
}

/* A fault of KVM that concerns all rules is printed once, not for each rule. */
static bool has_kvm(const struct launch *launch)
{
	const char *fault = host_kvm_fault(&launch->host);
	uint32_t optional = 0;

	for (uint32_t i = 0; i < launch->policy.nr_rules; i++)
		optional += !!(launch->policy.rules[i].flags & RULE_OPTIONAL);
	if (!fault || optional == launch->policy.nr_rules)
		return true;
	fprintf(stderr, "regpin: the VMM was not started: no rule can be enforced: %s\n",
		fault);
	return false;
}

int run_fit(struct launch *launch)
{
	int refused;

	host_probe(&launch->host);
	if (!has_kvm(launch))
		return EXIT_HOST;
	refused = fit_rules(launch);
	if (refused < 0) {
		fprintf(stderr, "regpin: the VMM was not started: out of memory\n");
		return EXIT_RUN;
	}
	if (refused) {
		fprintf(stderr, "regpin: the VMM was not started: %d of the policy's rules can't be enforced here; 'regpin probe POLICY' prints which, why, and whether 'optional: true' would leave a rule out or only poll its register\n",
			refused);
		return EXIT_HOST;
	}
	/* `init` can't be optional; without it the rules still hold. */
	launch->init_why = policy_fit_init(&launch->policy, &launch->host);
	return 0;
}
