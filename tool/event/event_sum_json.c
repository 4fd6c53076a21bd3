// SPDX-License-Identifier: GPL-2.0-only
/* A sum of events as a line of JSON. */
#include "event_json.h"
#include "event_names.h"
#include "event_parts.h"
#include "event_severity.h"
#include "event_sum_json.h"

/* The register; for a rule on many MSRs, those that were accessed. */
static void put_registers(struct json *json, const struct limit_sum *sum)
{
	char index[16];

	if (sum->nr_indices <= 1 && !sum->more_indices) {
		event_put_register(json, sum->event.kind, sum->event.index);
		return;
	}
	json_array_begin(json, "indices");
	for (unsigned int i = 0; i < sum->nr_indices; i++) {
		snprintf(index, sizeof(index), "0x%x", sum->indices[i]);
		json_string(json, NULL, index);
	}
	json_array_end(json);
	if (sum->more_indices)
		json_bool(json, "more_indices", true);
}

/* The registers, all violating bits, and the last values. */
static void put_accesses(struct json *json, const struct limit_sum *sum,
			 const struct regpin_policy *policy)
{
	const struct regpin_event *event = &sum->event;

	put_registers(json, sum);
	if (event->type != REGPIN_EVENT_DETECTED)
		json_string(json, "access", event->write ? "write" : "read");
	event_put_violated(json, event, policy);
	if (event->write || event->type == REGPIN_EVENT_DETECTED) {
		event_put_new(json, event);
		event_put_value(json, event);
	}
	event_put_named_rule(json, event, policy);
	if (event->type == REGPIN_EVENT_VIOLATION && !sum->many_actions)
		json_string(json, "verdict",
			    regpin_action_names[event->action]);
	if (event->type != REGPIN_EVENT_VMM_WRITE && !sum->many_actions)
		event_put_action(json, event);
}

static void put_kind(struct json *json, const struct limit_sum *sum,
		     const struct regpin_policy *policy)
{
	struct regpin_event event = sum->event;

	if (sum->many_vcpus)
		event.vcpu = REGPIN_NO_VCPU;
	event_put_vcpu(json, &event);
	json_string(json, "of", event_type_names[event.type]);
	switch (event.type) {
	case REGPIN_EVENT_FAILED:
		event_put_failure(json, &event, policy);
		break;
	case REGPIN_EVENT_VIOLATION:
	case REGPIN_EVENT_VMM_WRITE:
	case REGPIN_EVENT_DETECTED:
		put_accesses(json, sum, policy);
		break;
	case REGPIN_EVENT_ARMED:
	case REGPIN_EVENT_DISARMED:
		json_string(json, "cause", event_cause_name(&event));
		break;
	default:
		break;
	}
}

/*
 * The severity of the gravest event. If the events had several actions, one of these was not
 * `report`; it counts as `stop`, because all such actions have the same severity.
 */
static const char *severity_of(const struct limit_sum *sum)
{
	struct regpin_event event = sum->event;

	if (sum->many_actions)
		event.action = REGPIN_STOP;
	return event_severity(&event);
}

size_t event_sum_json(char *buf, const char *name, const struct limit_sum *sum,
		      bool many_kinds, const struct regpin_policy *policy,
		      uint64_t time)
{
	char first[EVENT_TIME_MAX], last[EVENT_TIME_MAX];
	struct json json;

	if (!many_kinds && !event_is_valid(&sum->event))
		return 0;
	event_line_begin(buf, &json, time, name);
	if (!many_kinds)
		put_kind(&json, sum, policy);
	json_u64(&json, "count", sum->count);
	json_string(&json, "first", event_time(first, sum->first));
	json_string(&json, "last", event_time(last, sum->event.time));
	return event_line_end(&json, many_kinds ? agent_event_severity(name) :
						  severity_of(sum));
}
