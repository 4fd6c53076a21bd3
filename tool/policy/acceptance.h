/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a policy handles a VM with a feature that loads registers past every filter: nested
 * virtualisation, SMM, S3.
 */
#ifndef REGPIN_TOOL_ACCEPTANCE_H
#define REGPIN_TOOL_ACCEPTANCE_H

#include "base/json.h"
#include "lib/policy/policy.h"

/**
 * enum acceptance - how such a VM is handled
 * @NO_PINS: it runs: the feature ends only pins, and the policy has none. For S3 only
 * @ACCEPTED: it runs, because the policy accepts the feature
 * @TOLERATED: it runs, and an event reports that: only reports can be lost
 * @REFUSED: it does not run
 */
enum acceptance {
	NO_PINS,
	ACCEPTED,
	TOLERATED,
	REFUSED,
};

/* How @policy handles the feature @word, one of POLICY_ACCEPT_*. */
enum acceptance acceptance(const struct regpin_policy *policy, uint32_t word);

/* Prints a line for each feature, after @indent. */
void acceptance_print(const struct regpin_policy *policy, const char *indent);

/* The same as an object "past_filters". */
void acceptance_json(struct json *json, const struct regpin_policy *policy);

#endif
