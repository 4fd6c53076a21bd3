// SPDX-License-Identifier: GPL-2.0-only
/* Events to lines of JSON. The fields: regpin(1), "EVENTS". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msr_filter.h"
#include "registers.h"

#include "base/json.h"
#include "bit_names.h"
#include "event_json.h"
#include "event_parts.h"

const char *const event_type_names[REGPIN_EVENT_TYPE_MAX] = {
	[REGPIN_EVENT_VIOLATION] = "violation",
	[REGPIN_EVENT_VMM_WRITE] = "vmm-write",
	[REGPIN_EVENT_ARMED] = "armed",
	[REGPIN_EVENT_RESET] = "reset",
	[REGPIN_EVENT_ATTACHED] = "attached",
	[REGPIN_EVENT_REFUSED] = "refused",
	[REGPIN_EVENT_FAILED] = "failed",
	[REGPIN_EVENT_DISARMED] = "disarmed",
	[REGPIN_EVENT_DETECTED] = "detected",
	[REGPIN_EVENT_INIT] = "init",
	[REGPIN_EVENT_DEADLINE] = "deadline",
	[REGPIN_EVENT_ANSWERED] = "answered",
	[REGPIN_EVENT_POLICY] = "policy",
	[REGPIN_EVENT_SHUTDOWN] = "shutdown",
	[REGPIN_EVENT_SETTLED] = "settled",
	[REGPIN_EVENT_UNREACHED] = "unreached",
	[REGPIN_EVENT_TOLERATED] = "tolerated",
};

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
		"the vCPU runs without being looked at: its control registers are not polled" },
};

static const char *const refusal_names[REGPIN_REFUSED_MAX] = {
	[REGPIN_REFUSED_SVM] = "svm",
	[REGPIN_REFUSED_VMX] = "vmx",
	[REGPIN_REFUSED_SMM] = "smm",
	[REGPIN_REFUSED_FRED] = "fred",
	[REGPIN_REFUSED_FILTER] = "filter",
	[REGPIN_REFUSED_HOST] = "host",
	[REGPIN_REFUSED_FD] = "fd",
	[REGPIN_REFUSED_CPUID] = "cpuid",
	[REGPIN_REFUSED_CONFIDENTIAL] = "confidential",
	[REGPIN_REFUSED_VMLOAD] = "vmload",
};

static const char *const cause_names[REGPIN_CAUSE_MAX] = {
	[REGPIN_BY_START] = "start",
	[REGPIN_BY_SYSCALL_ENTRY] = "syscall-entry",
	[REGPIN_BY_REQUEST] = "request",
	[REGPIN_BY_OPERATOR] = "operator",
	[REGPIN_BY_LOAD] = "load",
	[REGPIN_BY_WINDOW] = "window",
	[REGPIN_BY_INIT] = "init",
};

/**
 * struct shape - what an event of one type can be
 * @actions: the actions that it can have, one bit each; 0: it has none
 * @details: @detail is below that; 0: any number
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

const char *event_register_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
				uint32_t index)
{
	const struct regpin_register *reg = register_find(kind, index);

	if (reg)
		register_title(buf, reg, index);
	else if (kind == REGPIN_MSR || kind >= REGPIN_KIND_MAX)
		snprintf(buf, REGISTER_NAME_MAX, "MSR 0x%" PRIx32, index);
	else
		snprintf(buf, REGISTER_NAME_MAX, "%s", regpin_kind_names[kind]);
	return buf;
}

const char *event_rule_subject(char buf[REGISTER_NAME_MAX],
			       const struct rule *rule)
{
	if (rule->count == 1)
		return event_register_name(buf, rule->kind, rule->index);
	snprintf(buf, REGISTER_NAME_MAX, "MSR 0x%" PRIx32 "..0x%" PRIx32,
		 rule->index, rule->index + rule->count - 1);
	return buf;
}

const char *event_cause_name(const struct regpin_event *event)
{
	if (event->type != REGPIN_EVENT_ARMED &&
	    event->type != REGPIN_EVENT_DISARMED)
		return NULL;
	return event->detail < REGPIN_CAUSE_MAX ? cause_names[event->detail] :
						  NULL;
}

const char *event_refusal_name(unsigned int reason)
{
	return refusal_names[reason];
}

const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;
	size_t len;

	/* Until the year 2554, which is as far as @ns reaches. */
	gmtime_r(&seconds, &tm);
	len = strftime(buf, EVENT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, EVENT_TIME_MAX - len, ".%09uZ",
		 (unsigned int)(ns % 1000000000u));
	return buf;
}

void event_put_violated(struct json *json, const struct regpin_event *event,
			 const struct regpin_policy *policy)
{
	const struct rule *rule = policy && event->rule < policy->nr_rules ?
					  &policy->rules[event->rule] : NULL;

	if (rule && rule->type == RULE_REQUIRE) {
		const struct regpin_register *reg =
			register_find(rule->kind, rule->index);

		if (reg)
			json_string(json, "lacks_of", reg->name);
		json_bit_names(json, "lacks", rule->kind, rule->index,
			       event->bits);
		return;
	}
	json_bit_names(json, "bits", event->kind, event->index, event->bits);
}

void event_put_rule(struct json *json, const struct regpin_policy *policy,
		     const struct rule *rule)
{
	char where[POLICY_MAX_SOURCE + 32];

	if (rule->type >= RULE_TYPE_MAX)
		return;
	json_string(json, "rule", rule_type_names[rule->type]);
	snprintf(where, sizeof(where), "%.*s:%" PRIu32 ":%" PRIu32,
		 POLICY_MAX_SOURCE, policy->source, rule->line, rule->column);
	json_string(json, "where", where);
}

void event_put_register(struct json *json, unsigned int kind, uint32_t index)
{
	char name[REGISTER_NAME_MAX];

	json_string(json, "register", event_register_name(name, kind, index));
	if (kind == REGPIN_MSR)
		json_hex(json, "index", index);
}

void event_put_old(struct json *json, const struct regpin_event *event)
{
	if (!(event->unread & REGPIN_UNREAD_OLD))
		json_hex(json, "old", event->old_value);
}

void event_put_new(struct json *json, const struct regpin_event *event)
{
	if (!(event->unread & REGPIN_UNREAD_NEW))
		json_hex(json, "new", event->new_value);
}

void event_put_value(struct json *json, const struct regpin_event *event)
{
	if (!(event->unread & REGPIN_UNREAD_VALUE))
		json_hex(json, "value", event->value);
}

/* The access: which register, how, from what to what, who and by which rule. */
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
	if (event->write || event->action < REGPIN_GP)
		event_put_value(json, event);
	if (violation && event->has_rip) {
		json_hex(json, "rip", event->rip);
		json_u64(json, "cpl", event->cpl & 3);
	}
	if (policy && event->rule < policy->nr_rules)
		event_put_rule(json, policy, &policy->rules[event->rule]);
	if (violation)
		json_string(json, "verdict",
			    regpin_action_names[event->action]);
}

void event_put_failure(struct json *json, const struct regpin_event *event,
			const struct regpin_policy *policy)
{
	const char *name = strerrorname_np((int)event->detail);

	event_put_register(json, event->kind, event->index);
	if (policy && event->rule < policy->nr_rules)
		event_put_rule(json, policy, &policy->rules[event->rule]);
	json_u64(json, "errno", event->detail);
	if (name)
		json_string(json, "error", name);
}

/* Nobody saw the access: what is known is what was there before, and what is now. */
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
	if (policy && event->rule < policy->nr_rules)
		event_put_rule(json, policy, &policy->rules[event->rule]);
	json_string(json, "reaction", event->action == REGPIN_MASK ?
		    "restore" : regpin_action_names[event->action]);
}

static void put_init(struct json *json, const struct regpin_event *event)
{
	json_hex(json, "cr0", event->new_value);
	json_hex(json, "cr4", event->old_value);
	json_hex(json, "efer", event->value);
	json_string(json, "reaction", regpin_action_names[event->action]);
}

/* A filter that does not fit names what did not, as far as an event can. */
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

	json_string(json, "reason", refusal_names[event->detail]);
	if (event->detail != REGPIN_REFUSED_FILTER || !overflow.list[0].nmsrs) {
		json_string(json, "text", regpin_refusal_text(event->detail));
		return;
	}
	overflow_text(text, sizeof(text), &overflow);
	json_string(json, "text", text);
	json_hex(json, "index", event->index);
	json_u64(json, "count", overflow.list[0].nmsrs);
}

/* By the guest's write of one register, or by time. */
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
		json_string(json, "reason", refusal_names[event->detail]);
		json_string(json, "text", regpin_tolerated_text(event->detail));
		break;
	case REGPIN_EVENT_ARMED:
	case REGPIN_EVENT_DISARMED:
		json_string(json, "cause", cause_names[event->detail]);
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
		break;
	default:
		break;
	}
}

/* The ring is the VMM's memory: a VMM that was taken over writes anything. */
bool event_makes_sense(const struct regpin_event *event)
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

FILE *event_line_begin(char *buf, struct json *json, uint64_t time,
		       const char *name)
{
	FILE *file = fmemopen(buf, EVENT_LINE_MAX, "w");
	char text[EVENT_TIME_MAX];

	if (!file)
		return NULL;
	json_begin(json, file);
	json_object_begin(json, NULL);
	json_string(json, "time", event_time(text, time));
	json_string(json, "event", name);
	return file;
}

size_t event_line_end(FILE *file, struct json *json)
{
	long len = -1;

	json_object_end(json);
	if (json_end(json) == 0)
		len = ftell(file);
	if (fclose(file) != 0 || len < 0 || len >= EVENT_LINE_MAX)
		return 0;
	return (size_t)len;
}

void event_put_vcpu(struct json *json, const struct regpin_event *event)
{
	json_u64(json, "vm", event->vm);
	if (event->vcpu != REGPIN_NO_VCPU)
		json_u64(json, "vcpu", event->vcpu);
}

size_t event_json(char *buf, const struct regpin_event *event,
		  const struct regpin_policy *policy)
{
	struct json json;
	FILE *file;

	if (!event_makes_sense(event))
		return 0;
	file = event_line_begin(buf, &json, event->time,
				event_type_names[event->type]);
	if (!file)
		return 0;
	event_put_vcpu(&json, event);
	put_by_type(&json, event, policy);
	return event_line_end(file, &json);
}

size_t notice_json(char *buf, const struct notice *notice)
{
	char subject[REGISTER_NAME_MAX];
	struct json json;
	FILE *file = event_line_begin(buf, &json, notice->time, notice->event);

	if (!file)
		return 0;
	if (notice->vm)
		json_u64(&json, "vm", *notice->vm);
	if (notice->to)
		json_string(&json, "to", notice->to);
	if (notice->rules)
		json_string(&json, "policy", notice->rules);
	if (notice->pid)
		json_u64(&json, "pid", notice->pid);
	if (notice->rule) {
		json_string(&json, "register",
			    event_rule_subject(subject, notice->rule));
		event_put_rule(&json, notice->policy, notice->rule);
	}
	if (notice->reason)
		json_string(&json, "reason", notice->reason);
	if (notice->action)
		json_string(&json, "action", notice->action);
	if (notice->reaction)
		json_string(&json, "reaction", notice->reaction);
	if (notice->text)
		json_string(&json, "text", notice->text);
	for (size_t i = 0; i < 4 && notice->counts[i].name; i++)
		json_u64(&json, notice->counts[i].name, notice->counts[i].n);
	return event_line_end(file, &json);
}
