/* SPDX-License-Identifier: GPL-2.0-only */
/* Fits a policy to a host: handles the rules that it cannot enforce. */
#ifndef REGPIN_TOOL_POLICY_FIT_H
#define REGPIN_TOOL_POLICY_FIT_H

#include "lib/kvm/host.h"

/* How a rule that this host can't enforce is handled. */
enum fitted {
	FIT_DETECTED,	/* it is optional, and is polled */
	FIT_LEFT_OUT,	/* it is optional, and has no effect here */
	FIT_REFUSED,	/* it is not optional: the policy can't be used here */
};

typedef void fit_report(void *context, enum fitted fitted,
			const struct rule *rule, const char *why);

#define FIT_TEXT	400	/* room for fit_text() */

/*
 * Describes how @rule, which a KVM can't enforce, is handled, as the end of a sentence that
 * begins with the rule: "is only polled, every 10 ms: ..". run, ctl, probe, explain, sim
 * and the event `degraded` have this text. Returns @to.
 */
const char *fit_text(char to[FIT_TEXT], const struct regpin_policy *policy,
		     enum fitted fitted, const struct rule *rule);

/* The reaction of `detect` to a violation of @rule, as a word of policies. */
const char *fit_reaction(const struct regpin_policy *policy,
			 const struct rule *rule);

/* Is @rule, which is optional and not enforced by @host, polled instead? */
bool fit_detects(const struct regpin_policy *policy, const struct host *host,
		 const struct rule *rule);

/*
 * Marks the optional rules that @host can't enforce with RULE_DETECT, or removes them if
 * polling does not help. Calls @report for each rule that is not enforced, with the reason, a
 * constant text. Returns the number of refused rules.
 */
unsigned int policy_fit(struct regpin_policy *policy, const struct host *host,
			fit_report *report, void *context);

/*
 * On a host where regpin cannot see an INIT, sets `init` to `allow`, and returns the reason, a
 * constant text. Otherwise returns NULL.
 */
const char *policy_fit_init(struct regpin_policy *policy,
			    const struct host *host);

#endif
