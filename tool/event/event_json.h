/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as lines of JSON, for people's tools. Pure: nothing is read but the
 * arguments, and an event that makes no sense gives no line, never a wild one.
 */
#ifndef REGPIN_TOOL_EVENT_JSON_H
#define REGPIN_TOOL_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"
#include "policy.h"
#include "registers.h"

#include "limit_sum.h"

/* Room for any event's line, with its line break and NUL. */
#define EVENT_LINE_MAX	8192

extern const char *const event_type_names[REGPIN_EVENT_TYPE_MAX];

/* Room for event_register_name() and event_time(), with their NUL. */
#define REGISTER_NAME_MAX	REGISTER_TITLE_MAX
#define EVENT_TIME_MAX		40

/*
 * "EFER", "MTRRphysBase3" or "MSR 0x1234". Returns @buf.
 */
const char *event_register_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
				uint32_t index);

/* The same for what a rule speaks of: "EFER", "MSR 0x0..0x2fff". */
const char *event_rule_subject(char buf[REGISTER_NAME_MAX],
			       const struct rule *rule);

/* Why a vCPU armed or disarmed, in one word; NULL for other events. */
const char *event_cause_name(const struct regpin_event *event);

/* One word for an enum regpin_refusal, which must be in range. */
const char *event_refusal_name(unsigned int reason);

/* "2026-11-21T22:43:23.123456789Z". Returns @buf. */
const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns);

/*
 * Writes @event as one line with its '\n' to @buf, which has EVENT_LINE_MAX
 * bytes. @policy is what the event's rule number refers to. Returns the line's
 * length, or 0 if the event is none that regpin's library makes, or if there
 * is no memory.
 */
size_t event_json(char *buf, const struct regpin_event *event,
		  const struct regpin_policy *policy);

/* Could regpin's library have made this event? */
bool event_makes_sense(const struct regpin_event *event);

/*
 * As event_json(), for the sum of some events that got no line each, under the name
 * @name. If they are of @many_kinds, there is nothing to say of them but how many they
 * are, and when.
 */
size_t event_sum_json(char *buf, const char *name, const struct limit_sum *sum,
		      bool many_kinds, const struct regpin_policy *policy,
		      uint64_t time);

/**
 * struct notice - an event of the agent's own
 * @time: CLOCK_REALTIME in nanoseconds
 * @event: its name
 * @reason: one word, or NULL
 * @text: a sentence, or NULL
 * @policy: what @rule is part of, or NULL
 * @rule: the rule it is about, or NULL
 * @vm: the VM it is about, or NULL
 * @to: the name of another one, or NULL
 * @rules: how that one's policy compares, or NULL
 * @pid: the process it is about, or 0
 * @action: what the rule wants done, or NULL
 * @reaction: what is done instead, or NULL
 * @counts: up to four numbers; the first one without a name ends them
 */
struct notice {
	uint64_t time;
	const char *event, *reason, *text;
	const struct regpin_policy *policy;
	const struct rule *rule;
	const uint32_t *vm;
	const char *to, *rules;
	const char *action, *reaction;
	uint32_t pid;
	struct {
		const char *name;
		uint64_t n;
	} counts[4];
};

/* As event_json(). */
size_t notice_json(char *buf, const struct notice *notice);

#endif
