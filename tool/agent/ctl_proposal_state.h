/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy that came by the control socket, and may come into force. */
#ifndef REGPIN_TOOL_CTL_PROPOSAL_STATE_H
#define REGPIN_TOOL_CTL_PROPOSAL_STATE_H

#include <stdint.h>

#include "lib/policy/policy.h"

#include "policy/policy_diff_list.h"
#include "policy/policy_mode.h"
#include "policy/policy_written.h"
#include "policy/unfit.h"

/**
 * struct ctl_proposal - a policy that may come into force
 * @written: as its owner wrote it
 * @policy: as it would be in force
 * @mode: the operator's mode that it would be in force with
 * @previous_mode: the effective mode of the policy in force
 * @policies: ctl->policies when it was compared
 * @problems: what is wrong with its text
 * @init_why: why `init` can't be done on this host, or NULL
 * @unfits: the rules that this host can't enforce
 * @diff: what it changes
 * @unsuited: what the VM has that it does not accept, or ""
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
