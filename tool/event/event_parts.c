// SPDX-License-Identifier: GPL-2.0-only
/* Parts of events' lines. */
#include <inttypes.h>
#include <string.h>

#include "lib/policy/action.h"
#include "lib/policy/registers.h"

#include "base/number.h"
#include "bit_names.h"
#include "event_names.h"
#include "event_parts.h"

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
	char where[PLACE_MAX], *end = where;

	if (rule->type >= RULE_TYPE_MAX)
		return;
	json_string(json, "rule", rule_type_names[rule->type]);
	/* As policy_place(). */
	end = stpcpy(end, policy_file_name(policy, rule->line));
	*end++ = ':';
	end = put_decimal(end, PLACE_LINE(rule->line));
	*end++ = ':';
	*put_decimal(end, rule->column) = 0;
	json_string(json, "where", where);
}

void event_put_named_rule(struct json *json, const struct regpin_event *event,
			  const struct regpin_policy *policy)
{
	if (policy && event->rule < policy->nr_rules)
		event_put_rule(json, policy, &policy->rules[event->rule]);
	else if (!policy && event->rule != REGPIN_NO_RULE)
		json_u64(json, "policy_number", event->policy);
}

void event_put_register(struct json *json, unsigned int kind, uint32_t index)
{
	char name[REGISTER_NAME_MAX];

	json_string(json, "register", event_register_name(name, kind, index));
	if (kind == REGPIN_MSR)
		json_hex(json, "index", index);
}

void event_put_registers(struct json *json, unsigned int kind, uint32_t index,
			 uint32_t count)
{
	char name[REGISTER_NAME_MAX];

	json_string(json, "register", event_range_name(name, kind, index, count));
	if (kind == REGPIN_MSR)
		json_hex(json, "index", index);
	if (count != 1)
		json_u64(json, "count", count);
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

void event_put_failure(struct json *json, const struct regpin_event *event,
			const struct regpin_policy *policy)
{
	const char *name = strerrorname_np((int)event->detail);

	event_put_register(json, event->kind, event->index);
	event_put_named_rule(json, event, policy);
	json_u64(json, "errno", event->detail);
	if (name)
		json_string(json, "error", name);
}

void event_line_begin(char *buf, struct json *json, uint64_t time,
		      const char *name)
{
	char text[EVENT_TIME_MAX];

	json_buf_begin(json, buf, EVENT_BODY_MAX);
	json_string(json, "time", event_time(text, time));
	json_string(json, "event", name);
}

size_t event_line_end(struct json *json, const char *severity)
{
	json_string(json, "severity", severity);
	return json_buf_end(json);
}

void event_put_action(struct json *json, const struct regpin_event *event)
{
	bool restores = event->type == REGPIN_EVENT_DETECTED &&
			event->action == REGPIN_MASK;

	json_string(json, "action", restores ? "restore" :
					       regpin_action_names[event->action]);
}

void event_put_vcpu(struct json *json, const struct regpin_event *event)
{
	json_u64(json, "vm", event->vm);
	if (event->vcpu != REGPIN_NO_VCPU)
		json_u64(json, "vcpu", event->vcpu);
}
