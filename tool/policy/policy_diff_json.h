/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy's changes as JSON. */
#ifndef REGPIN_TOOL_POLICY_DIFF_JSON_H
#define REGPIN_TOOL_POLICY_DIFF_JSON_H

#include "base/json.h"
#include "policy_diff_list.h"

/*
 * Adds "loosens", "tightens" and "changes", which are numbers, and the array @key with
 * an object for each change, in the order of @diff.
 */
void json_policy_diff(struct json *json, const char *key,
		      const struct policy_diff *diff);

#endif
