/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of events' lines, for the files that write lines; see event_json.h. */
#ifndef REGPIN_TOOL_EVENT_PARTS_H
#define REGPIN_TOOL_EVENT_PARTS_H

#include <stdio.h>

#include "base/json.h"
#include "lib/policy/policy.h"

/* Room for any event's line, with its line break and NUL. */
#define EVENT_LINE_MAX	8192

/*
 * Begins a line in @buf of EVENT_LINE_MAX bytes, with the time and the event's name.
 * Returns false if there is no memory. event_line_end() returns the line's length, or 0.
 */
bool event_line_begin(char *buf, struct json *json, uint64_t time,
		      const char *name);
size_t event_line_end(struct json *json);

/* The VM, and the vCPU if the event is about one. */
void event_put_vcpu(struct json *json, const struct regpin_event *event);

/* A register's name, and its index if it is an MSR. */
void event_put_register(struct json *json, unsigned int kind, uint32_t index);

/* The values of an access, as far as they were read. */
void event_put_old(struct json *json, const struct regpin_event *event);
void event_put_new(struct json *json, const struct regpin_event *event);
void event_put_value(struct json *json, const struct regpin_event *event);

/*
 * What violated the rule: bits of the register that was written; but `require` is
 * violated by a write to CR0 or LSTAR, and is about what else the vCPU lacks then.
 */
void event_put_violated(struct json *json, const struct regpin_event *event,
			const struct regpin_policy *policy);

/* A rule's kind, and where it was written. */
void event_put_rule(struct json *json, const struct regpin_policy *policy,
		    const struct rule *rule);

/*
 * The rule that @event names; or, where its policy is not known (@policy is NULL), that
 * one's number. A number that the policy has no rule for is left out.
 */
void event_put_named_rule(struct json *json, const struct regpin_event *event,
			  const struct regpin_policy *policy);

/* What failed, and with which error. */
void event_put_failure(struct json *json, const struct regpin_event *event,
		       const struct regpin_policy *policy);

#endif
