/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a VM that has what loads registers past every filter, by its policy. */
#ifndef REGPIN_TOOL_ACCEPTANCE_H
#define REGPIN_TOOL_ACCEPTANCE_H

#include "base/json.h"
#include "lib/policy/policy.h"

/**
 * enum acceptance - what becomes of it
 * @NO_PINS: it runs: it ends pins and nothing else, and the policy has none. Of S3 only
 * @ACCEPTED: it runs: the policy says so
 * @TOLERATED: it runs and that is an event, as what there is to lose are reports only
 * @REFUSED: it does not run
 */
enum acceptance {
	NO_PINS,
	ACCEPTED,
	TOLERATED,
	REFUSED,
};

/* By which of a policy's words: one of POLICY_ACCEPT_*. */
enum acceptance acceptance(const struct regpin_policy *policy, uint32_t word);

/* A line on each of these words, behind @indent. */
void acceptance_print(const struct regpin_policy *policy, const char *indent);

/* The same as an object "past_filters". */
void acceptance_json(struct json *json, const struct regpin_policy *policy);

#endif
