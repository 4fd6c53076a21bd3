/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a policy on this host. */
#ifndef REGPIN_TOOL_POLICY_FIT_H
#define REGPIN_TOOL_POLICY_FIT_H

#include "lib/kvm/host.h"

/* What becomes of a rule that this host can't enforce. */
enum fitted {
	FIT_DETECTED,	/* it is optional, and somebody looks now and then */
	FIT_LEFT_OUT,	/* it is optional */
	FIT_REFUSED,	/* it is not: the policy can't be used here */
};

typedef void fit_tell(void *context, enum fitted fitted,
		      const struct rule *rule, const char *why);

#define FIT_TEXT	400	/* room for fit_text() */

/*
 * What becomes of @rule of @policy, which a KVM can't enforce, as the end of a sentence
 * that begins with the rule: "is only monitored, every 10 ms: ...". It is what run, ctl,
 * probe, explain, sim and the event `degraded` print. Returns @to.
 */
const char *fit_text(char to[FIT_TEXT], const struct regpin_policy *policy,
		     enum fitted fitted, const struct rule *rule);

/* What `detect` does about a violation of @rule, in the policy's word. */
const char *fit_reaction(const struct regpin_policy *policy,
			 const struct rule *rule);

/* A rule that @host can't enforce, and that may be missed: is it monitored? */
bool fit_detects(const struct regpin_policy *policy, const struct host *host,
		 const struct rule *rule);

/*
 * Marks the optional rules that @host can't enforce with RULE_DETECT, or leaves
 * them out where looking does not help. @tell is told each rule that is not
 * enforced, and why, a constant text. Returns how many were refused.
 */
unsigned int policy_fit(struct regpin_policy *policy, const struct host *host,
			fit_tell *tell, void *context);

/*
 * Where nobody sees an INIT, `init` can't have an effect: then it is made `allow`.
 * Returns why, a constant text, or NULL if it is as the policy says.
 */
const char *policy_fit_init(struct regpin_policy *policy,
			    const struct host *host);

#endif
