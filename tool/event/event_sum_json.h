/* SPDX-License-Identifier: GPL-2.0-only */
/* A sum of events as a line of JSON. */
#ifndef REGPIN_TOOL_EVENT_SUM_JSON_H
#define REGPIN_TOOL_EVENT_SUM_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/policy/policy.h"

#include "limit_sum.h"

/*
 * As event_json(), for the sum of events that got no line of their own, under the name
 * @name. With @many_kinds the line has only their number and their times.
 */
size_t event_sum_json(char *buf, const char *name, const struct limit_sum *sum,
		      bool many_kinds, const struct regpin_policy *policy,
		      uint64_t time);

#endif
