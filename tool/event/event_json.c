// SPDX-License-Identifier: GPL-2.0-only
/* Events as lines of JSON. The keys are described in regpin-events(7). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/judge/msr_filter.h"
#include "lib/policy/action.h"

#include "base/json.h"
#include "event_json.h"
#include "event_names.h"
#include "event_parts.h"
#include "event_severity.h"

static const struct {
	const char *reason, *text;
} unreached[REGPIN_UNREACHED_MAX] = {
	[REGPIN_REACHED] = { "over",
		"regpin's signal reaches the vCPU again" },
	[REGPIN_SIGNAL_TAKEN] = { "taken",
		"the VMM has changed the handler of the signal with which regpin interrupts its vCPUs; regpin installs its own again, and passes the VMM's signals on" },
	[REGPIN_SIGNAL_IGNORED] = { "ignored",
		"the VMM ignores the signal with which regpin interrupts its vCPUs; regpin installs its handler again" },
	[REGPIN_SIGNAL_BLOCKED] = { "blocked",
		"the vCPU's thread blocks the signal with which regpin interrupts it: until its next exit to the VMM its control registers are not polled, and no command reaches it" },
	[REGPIN_NOT_POLLED] = { "not-polled",
		"the vCPU has run for a long time without a poll of its control registers" },
};

/**
 * struct shape - the valid values of an event of one type
 * @actions: the actions that it can have, one bit each; 0: the action is not used
 * @details: the event's @detail is lower than this; 0: any number is valid
 */
static const struct shape {
	uint32_t actions;
	uint32_t details;
} shapes[REGPIN_EVENT_TYPE_MAX] = {
	[REGPIN_EVENT_ARMED] = { 0, REGPIN_CAUSE_MAX },
	[REGPIN_EVENT_REFUSED] = { 0, REGPIN_REFUSED_MAX },
	[REGPIN_EVENT_DISARMED] = { 0, REGPIN_CAUSE_MAX },
	[REGPIN_EVENT_DETECTED] = { 1u << REGPIN_REPORT | 1u << REGPIN_MASK |
				    1u << REGPIN_PAUSE | 1u << REGPIN_STOP, 0 },
	[REGPIN_EVENT_INIT] = { 1u << REGPIN_ALLOW | 1u << REGPIN_REPORT |
				1u << REGPIN_PAUSE | 1u << REGPIN_STOP, 0 },
	[REGPIN_EVENT_DEADLINE] = { 1u << REGPIN_REPORT | 1u << REGPIN_PAUSE |
				    1u << REGPIN_STOP, 0 },
	[REGPIN_EVENT_ANSWERED] = { 1u << REGPIN_ALLOW | 1u << REGPIN_GP |
				    1u << REGPIN_STOP, 0 },
	[REGPIN_EVENT_SHUTDOWN] = { 0, 2 },
	[REGPIN_EVENT_UNREACHED] = { 0, REGPIN_UNREACHED_MAX },
	[REGPIN_EVENT_TOLERATED] = { 0, REGPIN_REFUSED_MAX },
};

/* The access: the register, read or write, the values, the guest's RIP and the rule. */
static void put_access(struct json *json, const struct regpin_event *event,
		       const struct regpin_policy *policy)
{
	bool violation = event->type == REGPIN_EVENT_VIOLATION;

	event_put_register(json, event->kind, event->index);
	json_string(json, "access", event->write ? "write" : "read");
	event_put_violated(json, event, policy);
	if (event->write) {
		event_put_old(json, event);
		event_put_new(json, event);
	}
	if (event->write || action_completes(event->action))
		event_put_value(json, event);
	if (violation && event->has_rip) {
		json_hex(json, "rip", event->rip);
		json_u64(json, "cpl", event->cpl & 3);
	}
	event_put_named_rule(json, event, policy);
	if (violation) {
		json_string(json, "verdict",
			    regpin_action_names[event->action]);
		event_put_action(json, event);
	}
}

/* The access itself was not seen: only the values before and after it are known. */
static void put_detected(struct json *json, const struct regpin_event *event,
			 const struct regpin_policy *policy)
{
	event_put_register(json, event->kind, event->index);
	event_put_violated(json, event, policy);
	event_put_old(json, event);
	event_put_new(json, event);
	event_put_value(json, event);
	if (event->detail == REGPIN_FOUND_BY_POLICY)
		json_string(json, "found", "policy");
	else
		json_u64(json, "window_us", event->detail);
	event_put_named_rule(json, event, policy);
	json_string(json, "reaction", event->action == REGPIN_MASK ?
		    "restore" : regpin_action_names[event->action]);
	event_put_action(json, event);
}

static void put_init(struct json *json, const struct regpin_event *event)
{
	json_hex(json, "cr0", event->new_value);
	json_hex(json, "cr4", event->old_value);
	json_hex(json, "efer", event->value);
	json_string(json, "reaction", regpin_action_names[event->action]);
	event_put_action(json, event);
}

/* For a filter that does not fit, the event names the first range without room. */
static void put_refused(struct json *json, const struct regpin_event *event)
{
	struct overflow overflow = {
		.nr = 1, .more = (uint32_t)event->new_value,
		.list[0] = {
			.base = event->index, .nmsrs = (uint32_t)event->value,
			.flags = (uint32_t)event->bits, .vmm = true,
		},
	};
	char text[512];

	json_string(json, "reason", event_refusal_name(event->detail));
	if (event->detail != REGPIN_REFUSED_FILTER || !overflow.list[0].nmsrs) {
		json_string(json, "text", regpin_refusal_text(event->detail));
		return;
	}
	overflow_text(text, sizeof(text), &overflow);
	json_string(json, "text", text);
	json_hex(json, "index", event->index);
	json_u64(json, "count", overflow.list[0].nmsrs);
}

/* The values of the VM are settled by the guest's write of one register, or by time. */
static void put_settled(struct json *json, const struct regpin_event *event)
{
	if (event->detail) {
		json_u64(json, "after_ms", event->detail);
		return;
	}
	event_put_register(json, event->kind, event->index);
	json_hex(json, "old", event->old_value);
	json_hex(json, "value", event->value);
}

static void put_by_type(struct json *json, const struct regpin_event *event,
			const struct regpin_policy *policy)
{
	switch (event->type) {
	case REGPIN_EVENT_VIOLATION:
	case REGPIN_EVENT_VMM_WRITE:
		put_access(json, event, policy);
		break;
	case REGPIN_EVENT_FAILED:
		event_put_failure(json, event, policy);
		break;
	case REGPIN_EVENT_REFUSED:
		put_refused(json, event);
		break;
	case REGPIN_EVENT_TOLERATED:
		json_string(json, "reason", event_refusal_name(event->detail));
		json_string(json, "text", regpin_tolerated_text(event->detail));
		break;
	case REGPIN_EVENT_ARMED:
	case REGPIN_EVENT_DISARMED:
		json_string(json, "cause", event_cause_name(event));
		break;
	case REGPIN_EVENT_DETECTED:
		put_detected(json, event, policy);
		break;
	case REGPIN_EVENT_INIT:
		put_init(json, event);
		break;
	case REGPIN_EVENT_DEADLINE:
		json_u64(json, "after_ms", event->detail);
		json_string(json, "reaction",
			    regpin_action_names[event->action]);
		event_put_action(json, event);
		break;
	case REGPIN_EVENT_SHUTDOWN:
		json_string(json, "in", event->detail ? "smm" : "guest");
		break;
	case REGPIN_EVENT_SETTLED:
		put_settled(json, event);
		break;
	case REGPIN_EVENT_UNREACHED:
		json_string(json, "reason", unreached[event->detail].reason);
		json_u64(json, "signal", event->index);
		json_string(json, "text", unreached[event->detail].text);
		break;
	case REGPIN_EVENT_ANSWERED:
		json_string(json, "answer", regpin_action_names[event->action]);
		event_put_action(json, event);
		break;
	default:
		break;
	}
}

bool event_is_valid(const struct regpin_event *event)
{
	const struct shape *shape;

	if (event->type >= REGPIN_EVENT_TYPE_MAX ||
	    event->kind >= REGPIN_KIND_MAX ||
	    event->action >= REGPIN_ACTION_MAX)
		return false;
	shape = &shapes[event->type];
	return (!shape->actions || shape->actions >> event->action & 1) &&
	       (!shape->details || event->detail < shape->details);
}

size_t event_json(char *buf, const struct regpin_event *event,
		  const struct regpin_policy *policy)
{
	struct json json;

	if (!event_is_valid(event))
		return 0;
	event_line_begin(buf, &json, event->time, event_type_names[event->type]);
	event_put_vcpu(&json, event);
	put_by_type(&json, event, policy);
	return event_line_end(&json, event_severity(event));
}

size_t agent_event_json(char *buf, const struct agent_event *event)
{
	char subject[REGISTER_NAME_MAX];
	struct json json;

	event_line_begin(buf, &json, event->time, event->type);
	if (event->vm)
		json_u64(&json, "vm", *event->vm);
	if (event->to)
		json_string(&json, "to", event->to);
	if (event->mode)
		json_string(&json, "mode", event->mode);
	if (event->of)
		json_string(&json, "of", event->of);
	if (event->rules)
		json_string(&json, "policy", event->rules);
	if (event->pid)
		json_u64(&json, "pid", event->pid);
	if (event->rule) {
		json_string(&json, "register",
			    event_rule_subject(subject, event->rule));
		event_put_rule(&json, event->policy, event->rule);
	}
	if (event->reason)
		json_string(&json, "reason", event->reason);
	if (event->rule_action)
		json_string(&json, "rule_action", event->rule_action);
	if (event->action) {
		json_string(&json, "reaction", event->action);
		json_string(&json, "action", event->action);
	}
	if (event->text)
		json_string(&json, "text", event->text);
	for (size_t i = 0; i < AGENT_EVENT_COUNTS && event->counts[i].name; i++)
		json_u64(&json, event->counts[i].name, event->counts[i].n);
	return event_line_end(&json, agent_event_severity(event->type));
}
