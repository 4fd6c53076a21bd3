/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of events' lines, for the files that write such lines; see event_json.h. */
#ifndef REGPIN_TOOL_EVENT_PARTS_H
#define REGPIN_TOOL_EVENT_PARTS_H

#include <stdio.h>

#include "base/json.h"
#include "lib/policy/policy.h"

/* Room for any event's line, with its line break and NUL. */
#define EVENT_LINE_MAX	8192
/* Room without the keys that event_tail.h adds. */
#define EVENT_BODY_MAX	(EVENT_LINE_MAX - 2048)

/*
 * Begins a line in @buf of EVENT_LINE_MAX bytes, with the time and the event's name.
 * event_line_end() adds the severity, and returns the line's length, or 0 if it is longer
 * than EVENT_BODY_MAX.
 */
void event_line_begin(char *buf, struct json *json, uint64_t time,
		      const char *name);
size_t event_line_end(struct json *json, const char *severity);

/* Adds the action that was taken, under the key that all events use for it. */
void event_put_action(struct json *json, const struct regpin_event *event);

/* The VM, and the vCPU if the event is about one. */
void event_put_vcpu(struct json *json, const struct regpin_event *event);

/* A register's name, and its index if it is an MSR. */
void event_put_register(struct json *json, unsigned int kind, uint32_t index);

/* The same for @count MSRs from @index on, or one register; with @count if it is not 1. */
void event_put_registers(struct json *json, unsigned int kind, uint32_t index,
			 uint32_t count);

/* The values of an access, as far as they were read. */
void event_put_old(struct json *json, const struct regpin_event *event);
void event_put_new(struct json *json, const struct regpin_event *event);
void event_put_value(struct json *json, const struct regpin_event *event);

/*
 * The bits that violated the rule: those of the register that was written. A rule `require`
 * is violated by a write to CR0 or LSTAR; then these are the bits that the vCPU lacks.
 */
void event_put_violated(struct json *json, const struct regpin_event *event,
			const struct regpin_policy *policy);

/* A rule's type, and its place in the policy's file. */
void event_put_rule(struct json *json, const struct regpin_policy *policy,
		    const struct rule *rule);

/*
 * The rule that @event names. If its policy is not known (@policy is NULL), the policy's
 * number is written instead. A rule number that the policy does not have is left out.
 */
void event_put_named_rule(struct json *json, const struct regpin_event *event,
			  const struct regpin_policy *policy);

/* The register whose access failed, the rule, and the error. */
void event_put_failure(struct json *json, const struct regpin_event *event,
		       const struct regpin_policy *policy);

#endif
