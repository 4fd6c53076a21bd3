/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of `regpin probe` about each rule of a policy. */
#ifndef REGPIN_TOOL_PROBE_RULES_H
#define REGPIN_TOOL_PROBE_RULES_H

#include "base/json.h"
#include "lib/kvm/host.h"
#include "lib/policy/policy.h"

/* Prints each rule, its effective mode on @host and the reason, and the numbers of rules. */
void probe_print_rules(const struct host *host, const struct regpin_policy *policy);

/* The same as the array "policy_rules", and the numbers of rules. */
void probe_json_rules(struct json *json, const struct host *host,
		      const struct regpin_policy *policy);

#endif
