/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that a client of `regpin ctl` has proposed. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_STATE_H
#define REGPIN_TOOL_CTL_PROPOSAL_STATE_H

#include <stdint.h>

#include "lib/policy/policy.h"

#include "policy/policy_diff_list.h"
#include "policy/policy_mode.h"
#include "policy/policy_written.h"
#include "policy/unfit.h"

/**
 * struct ctl_proposal - a policy that a client may put in force
 * @written: the policy as its owner wrote it
 * @policy: the policy as it would be in force
 * @mode: the operator's mode with which it would be in force
 * @previous_mode: the effective mode of the policy in force
 * @policies: ctl->policies when it was compared with the policy in force
 * @problems: errors and warnings about its text
 * @init_why: why `init` can't be enforced on this host, or NULL
 * @unfits: the rules that this host can't enforce
 * @diff: its changes to the policy in force
 * @unsuited: the property of the VM that @policy does not accept, as a sentence, or ""
 */
struct ctl_proposal {
	struct policy_written written;
	struct regpin_policy policy;
	enum policy_mode mode, previous_mode;
	uint64_t policies;
	struct problems problems;
	const char *init_why;
	struct unfits unfits;
	struct policy_diff diff;
	char unsuited[1024];
};

#endif
