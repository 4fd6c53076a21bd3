// SPDX-License-Identifier: GPL-2.0-only
/* The outcomes of a trace's lines. The code for each line does not use stdio, for speed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/printable.h"
#include "event/bit_names.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "policy/policy_diff_text.h"
#include "sim_print.h"

void print_flush(struct printer *printer)
{
	fwrite(printer->buf, 1, printer->len, stdout);
	printer->len = 0;
}

static void put(struct printer *printer, const char *text, size_t len)
{
	if (printer->len + len > sizeof(printer->buf))
		print_flush(printer);
	memcpy(printer->buf + printer->len, text, len);
	printer->len += len;
}

static void put_text(struct printer *printer, const char *text)
{
	put(printer, text, strlen(text));
}

static void put_hex(struct printer *printer, uint64_t value)
{
	char text[18];
	size_t at = sizeof(text);

	do
		text[--at] = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	text[--at] = 'x';
	text[--at] = '0';
	put(printer, text + at, sizeof(text) - at);
}

/* Is the outcome shown as a value? It is for reads that returned one. */
static bool shows_value(const struct trace_line *line,
			const struct sim_result *result)
{
	return line->op == TRACE_RDMSR && result->has_value;
}

static const struct rule *rule_of(const struct sim *sim,
				  const struct regpin_event *event)
{
	return event->rule < sim->policy->nr_rules ?
		       &sim->policy->rules[event->rule] : NULL;
}

/* "sticky at linux.yaml:60:5: NXE"; nothing if no rule was violated. */
static void why_text(char *to, size_t size, const struct sim *sim,
		     bool violated, const struct regpin_event *event)
{
	const struct rule *rule = violated ? rule_of(sim, event) : NULL;
	char place[PLACE_MAX];
	char bits[64 * 32] = "";	/* room for 64 names of bits */

	to[0] = 0;
	if (!rule)
		return;
	if (~event->bits)
		register_bits_text(bits, sizeof(bits), rule->kind, rule->index,
				   event->bits);
	snprintf(to, size, "%s at %s%s%s", rule_type_names[rule->type],
		 policy_place(place, sim->policy, rule->line, rule->column),
		 *bits ? ": " : "", bits);
}

static void event_text(char *to, size_t size, const struct regpin_event *event)
{
	const char *cause = event_cause_name(event);
	char name[REGISTER_NAME_MAX];

	if (event->type == REGPIN_EVENT_VMM_WRITE ||
	    event->type == REGPIN_EVENT_FAILED ||
	    (event->type == REGPIN_EVENT_SETTLED && !event->detail))
		snprintf(to, size, "%s of %s", event_type_names[event->type],
			 event_register_name(name, event->kind, event->index));
	else if (event->type == REGPIN_EVENT_ANSWERED)
		snprintf(to, size, "answered: %s",
			 regpin_action_names[event->action]);
	else
		snprintf(to, size, "%s%s%s", event_type_names[event->type],
			 cause ? " by " : "", cause ? cause : "");
}

/* Adds a reason for the outcome to the comment after it. */
static void reason(struct printer *printer, bool *first, const char *text)
{
	put_text(printer, *first ? "\t# " : "; ");
	put_text(printer, text);
	*first = false;
}

static void print_reasons(struct printer *printer, const struct sim *sim,
			  const struct trace_line *line)
{
	const struct sim_result *result = &sim->result;
	bool first = true;
	char buf[800];

	if (printer->about)
		reason(printer, &first, printer->about);
	if (result->outcome == OUTCOME_OPEN)
		reason(printer, &first,
		       "it depends on the value, which is not known");
	/* The outcome is shown as the value that the guest reads, so "drop" is added here. */
	if (result->outcome == OUTCOME_DROP && shows_value(line, result))
		reason(printer, &first, "drop");
	if (result->no_cpu) {
		reason(printer, &first, "no CPU accepts this: ");
		put_text(printer, result->no_cpu);
	}
	if (result->violated) {
		why_text(buf, sizeof(buf), sim, true, &result->violation);
		if (*buf)
			reason(printer, &first, buf);
	} else if (result->polled) {
		why_text(buf, sizeof(buf), sim, true, &result->would);
		reason(printer, &first,
		       "polled, not stopped; the next poll detects it: ");
		put_text(printer, buf);
	} else if (result->outcome == OUTCOME_GP && !result->no_cpu) {
		reason(printer, &first, result->answered ?
		       "the operator's answer" : line->refusal ?
		       "KVM refuses it" : "no CPU accepts it");
	}
}

static void print_text(struct printer *printer, const struct sim *sim,
		       const struct trace_line *line, const char *text)
{
	const struct sim_result *result = &sim->result;
	char buf[800], what[160];

	put(printer, text + line->start, line->len);
	put(printer, " => ", 4);
	if (shows_value(line, result))
		put_hex(printer, result->value);
	else
		put_text(printer, outcome_names[result->outcome]);
	print_reasons(printer, sim, line);
	put(printer, "\n", 1);
	for (unsigned int i = 0; i < result->nr; i++) {
		event_text(what, sizeof(what), &result->events[i]);
		snprintf(buf, sizeof(buf), "# vCPU %" PRIu32 ": %s\n",
			 result->events[i].vcpu, what);
		put_text(printer, buf);
	}
	if (result->lost)
		put_text(printer, "# and more\n");
}

/* The rule, its place and the bits, with the keys of events. */
static void json_why(struct json *json, const struct sim *sim,
		     const struct regpin_event *event)
{
	const struct rule *rule = rule_of(sim, event);
	char where[PLACE_MAX];

	if (!rule)
		return;
	json_string(json, "rule", rule_type_names[rule->type]);
	json_string(json, "where", policy_place(where, sim->policy, rule->line,
						rule->column));
	if (rule->type == RULE_REQUIRE) {
		char name[REGISTER_NAME_MAX];

		json_string(json, "lacks_of", event_register_name(name,
			    rule->kind, rule->index));
		json_bit_names(json, "lacks", rule->kind, rule->index,
			       event->bits);
	} else {
		json_bit_names(json, "bits", event->kind, event->index,
			       event->bits);
	}
}

static void json_events(struct json *json, const struct sim_result *result)
{
	json_array_begin(json, "events");
	for (unsigned int i = 0; i < result->nr; i++) {
		const struct regpin_event *event = &result->events[i];
		const char *cause = event_cause_name(event);

		json_object_begin(json, NULL);
		json_u64(json, "vcpu", event->vcpu);
		json_string(json, "event", event_type_names[event->type]);
		if (cause)
			json_string(json, "cause", cause);
		if (event->type == REGPIN_EVENT_ANSWERED)
			json_string(json, "action",
				    regpin_action_names[event->action]);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_line(struct printer *printer, const struct sim *sim,
		      const struct trace_line *line, const char *text,
		      uint64_t number, enum expected expected)
{
	const struct sim_result *result = &sim->result;
	char statement[TRACE_MAX_LINE + 1];
	struct json json;

	memcpy(statement, text + line->start, line->len);
	statement[line->len] = 0;
	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	kvm_json(&json, printer->kvm);
	json_u64(&json, "line", number);
	if (line->op < TRACE_RESET)
		json_u64(&json, "vcpu", line->vcpu);
	json_string(&json, "statement", statement);
	if (printer->about && line->op <= TRACE_SET)
		event_put_register(&json, line->kind, line->index);
	json_string(&json, "outcome", outcome_names[result->outcome]);
	if (result->has_value)
		json_hex(&json, "value", result->value);
	if (line->expects)
		json_bool(&json, "expected", expected == AS_EXPECTED);
	if (expected == WITH_CR_FILTER)
		json_bool(&json, "with_cr_filter", true);
	if (result->violated)
		json_why(&json, sim, &result->violation);
	if (result->no_cpu)
		json_string(&json, "no_cpu", result->no_cpu);
	if (result->answered)
		json_bool(&json, "answered", true);
	if (result->polled) {
		json_object_begin(&json, "polled_by");
		json_why(&json, sim, &result->would);
		json_object_end(&json);
	}
	json_events(&json, result);
	json_object_end(&json);
	fputc('\n', stdout);
}

void print_comment(struct printer *printer, const char *const texts[])
{
	put_text(printer, "# ");
	for (; *texts; texts++)
		put_text(printer, *texts);
	put(printer, "\n", 1);
}

void print_line(struct printer *printer, const struct sim *sim,
		const struct trace_line *line, const char *text,
		uint64_t number, enum expected expected)
{
	if (printer->json)
		json_line(printer, sim, line, text, number, expected);
	else
		print_text(printer, sim, line, text);
}

void print_unexpected(struct printer *printer, const struct sim *sim,
		      const struct trace_line *line, const char *name,
		      uint64_t number, enum expected expected)
{
	const struct sim_result *result = &sim->result;
	char wanted[24], value[48] = "", why[3000];

	/* Standard output first, so that the order of lines and messages is right. */
	print_flush(printer);
	fflush(stdout);
	if (line->outcome == OUTCOME_MAX)
		snprintf(wanted, sizeof(wanted), "0x%" PRIx64,
			 line->result);
	else
		snprintf(wanted, sizeof(wanted), "%s",
			 outcome_names[line->outcome]);
	if (result->has_value)
		snprintf(value, sizeof(value), ", 0x%" PRIx64, result->value);
	why_text(why, sizeof(why), sim, result->violated, &result->violation);
	if (!*why && result->no_cpu)
		snprintf(why, sizeof(why), "no CPU accepts this: %s",
			 result->no_cpu);
	fprintf(stderr, "%s:%" PRIu64 ":%zu: expected %s, but it was %s%s%s%s%s%s\n",
		printable(name), number, line->start + 1, wanted,
		outcome_names[result->outcome], value, *why ? " (" : "", why,
		*why ? ")" : "", expected == WITH_CR_FILTER ?
		"; with the CR filter it is as expected" : "");
}
