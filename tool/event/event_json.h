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
#include "lib/policy/policy.h"

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

/**
 * struct agent_event - an event of the agent's own
 * @time: CLOCK_REALTIME in nanoseconds
 * @type: its name in JSON
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
struct agent_event {
	uint64_t time;
	const char *type, *reason, *text;
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
size_t agent_event_json(char *buf, const struct agent_event *event);

#endif
