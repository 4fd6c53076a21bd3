/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as lines of JSON. Pure: only the arguments are read. An event that is not valid
 * yields no line.
 */
#ifndef REGPIN_TOOL_EVENT_JSON_H
#define REGPIN_TOOL_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"
#include "lib/policy/policy.h"

/*
 * Writes @event as one line with its '\n' to @buf, which has EVENT_LINE_MAX bytes. @policy is
 * the policy that the event's rule number refers to. Returns the line's length, or 0 if
 * event_is_valid() is false or the line is too long.
 */
size_t event_json(char *buf, const struct regpin_event *event,
		  const struct regpin_policy *policy);

/*
 * Could regpin's library have made this event? The ring is the VMM's memory, and a
 * compromised VMM may write anything there.
 */
bool event_is_valid(const struct regpin_event *event);

#define AGENT_EVENT_COUNTS	8

/**
 * struct agent_event - an event of the agent's own
 * @time: CLOCK_REALTIME in nanoseconds
 * @type: its name in JSON
 * @reason: one word, or NULL
 * @text: a sentence, or NULL
 * @policy: the policy that @rule belongs to, or NULL
 * @rule: the rule that it is about, or NULL
 * @vm: the number of the VM that it is about, or NULL
 * @to: the name of another VM, or NULL
 * @mode: the effective mode, or NULL
 * @of: the type of the events that it is about, or NULL
 * @rules: how the other VM's policy compares with this one's, or NULL
 * @pid: the process that it is about, or 0
 * @rule_action: the rule's action, or NULL
 * @action: the action that is taken instead, or NULL
 * @for_hook: the hook gets the line, too
 * @counts: numbers; the first one without a name ends them
 */
struct agent_event {
	uint64_t time;
	const char *type, *reason, *text;
	const struct regpin_policy *policy;
	const struct rule *rule;
	const uint32_t *vm;
	const char *to, *mode, *of, *rules;
	const char *rule_action, *action;
	uint32_t pid;
	bool for_hook;
	struct {
		const char *name;
		uint64_t n;
	} counts[AGENT_EVENT_COUNTS];
};

/* As event_json(). */
size_t agent_event_json(char *buf, const struct agent_event *event);

#endif
