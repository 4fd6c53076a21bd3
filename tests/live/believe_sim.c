// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the output of `regpin sim` for the trace of a life with that life, line by
 * line.
 */
#include <inttypes.h>
#include <string.h>

#include "believe.h"
#include "event/event_names.h"
#include "lib/policy/registers.h"

static void write_line(FILE *file, const struct step *step)
{
	static const char *const refusals[] = { "", " unknown", " invalid" };

	switch (step->op) {
	case TRACE_RDMSR:
		fprintf(file, "%u rdmsr 0x%x%s\n", step->vcpu, step->index,
			refusals[step->refusal]);
		break;
	case TRACE_WRMSR:
		fprintf(file, "%u wrmsr 0x%x 0x%" PRIx64 "%s\n", step->vcpu,
			step->index, step->value, refusals[step->refusal]);
		break;
	case TRACE_SET:
		fprintf(file, "%u set 0x%x 0x%" PRIx64 "\n", step->vcpu,
			step->index, step->value);
		break;
	case TRACE_ANSWER:
		fprintf(file, "%u answer %s\n", step->vcpu,
			step->value == REGPIN_ALLOW ? "allow" :
			step->value == REGPIN_GP ? "gp" : "stop");
		break;
	default:
		fprintf(file, "%s\n", step->op == TRACE_ARM ? "arm" :
			step->op == TRACE_DISARM ? "disarm" :
			step->once ? "window once" : "window");
	}
}

/* The state in which the test's vCPUs begin; see tiny_set_mode(). */
static unsigned int write_trace(void)
{
	FILE *file = fopen(trace_path, "w");
	unsigned int lines = 0;

	if (!file)
		abort();
	for (unsigned int i = 0; i < BELIEVE_VCPUS; i++, lines += 3)
		fprintf(file, "%u set CR0 %s\n%u set CR4 %s\n%u set EFER %s\n",
			i, recorded.mode == TINY_LONG ? "0x80010031" : "0x31",
			i, recorded.mode == TINY_LONG ? "0x20" : "0", i,
			recorded.mode == TINY_LONG ? "0x500" : "0");
	for (unsigned int i = 0; i < recorded.nr_steps; i++)
		write_line(file, &recorded.steps[i]);
	fclose(file);
	return lines;
}

static bool key_text(const char *line, const char *key, char *to, size_t size)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
	at = strstr(line, quoted);
	to[0] = 0;
	if (!at)
		return false;
	at += strlen(quoted);
	snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
	return true;
}

static uint64_t key_number(const char *line, const char *key, uint64_t missing)
{
	char text[32];

	return key_text(line, key, text, sizeof(text)) ?
		       strtoull(text, NULL, 0) : missing;
}

/* The strictest event of @type, and the first of equals. */
static const struct regpin_event *event_of(const struct step *step,
					   unsigned int type)
{
	const struct regpin_event *found = NULL;

	for (unsigned int i = 0; i < step->nr_events; i++) {
		const struct regpin_event *e = &step->events[i];

		if (e->type == type && (!found || e->action > found->action))
			found = e;
	}
	return found;
}

const struct regpin_event *violation(const struct step *step)
{
	return event_of(step, REGPIN_EVENT_VIOLATION);
}

/* A look before the entry held or stopped the vCPU, so it never made the access. */
bool stopped_at_the_door(const struct step *step)
{
	const struct regpin_event *e = event_of(step, REGPIN_EVENT_DETECTED);

	return e && e->action >= REGPIN_PAUSE && step->fate && !violation(step);
}

/* The event whose rule sim names: of the violation, or otherwise of what was detected. */
static const struct regpin_event *named(const struct step *step)
{
	const struct regpin_event *e = violation(step);

	return e ? e : event_of(step, REGPIN_EVENT_DETECTED);
}

/* KVM's KVM_MMU_EFER_ROLE_BITS */
#define ROLE_BITS	(EFER_NXE | EFER_LME)

/*
 * Some KVMs (software, 6.18) run a WRMSR that exited a second time if these bits were
 * changed in between. The second exit makes another event, of a write that no longer
 * changes anything, by the same rule or by one that only reports.
 */
static void forget_repeated(struct step *step)
{
	struct regpin_event *a = step->events, *b = a + step->nr_events - 1;

	if (!repeats || step->index != MSR_EFER || step->nr_events < 2 ||
	    !((step->before ^ step->after) & ROLE_BITS) || a->type != b->type ||
	    b->old_value != a->value || b->value != a->value)
		return;
	tally.repeated++;
	step->nr_events--;
}

/* Other rules may judge the second run: the held write was then refused, or the like. */
bool judged_twice(const struct step *step)
{
	const struct regpin_event *e = violation(step);

	return repeats && step->op == TRACE_WRMSR && step->index == MSR_EFER &&
	       (step->before ^ step->after) & ROLE_BITS &&
	       (step->fate == TINY_HELD || (e && e->old_value == step->after));
}

/*
 * Compares the event's values. A register that KVM does not know for the guest has no
 * value, though newer KVMs have some of these for the host.
 */
static void compare_values(const struct step *step, unsigned int n,
			   const struct regpin_event *e, bool unknown)
{
	bool known = step->known && !step->volatile_value;
	uint64_t before = unknown ? 0 : step->before;
	uint64_t after = unknown ? 0 : step->after;

	if (e->new_value != step->value || (known && e->old_value != before))
		differs(step, n, "the event's values differ: 0x%llx over 0x%llx",
			e->new_value, e->old_value);
	if (known && step->fate <= TINY_GP && e->value != after)
		differs(step, n, "the event gives the value as 0x%llx, not 0x%" PRIx64,
			e->value, after);
}

/*
 * Adds all bits of each named field that contains some of @bits, because a field has only
 * one name.
 */
static uint64_t whole_fields(const struct regpin_register *reg, uint64_t bits)
{

	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];
		uint64_t field = UINT64_MAX >> (64 - bit->width) << bit->lo;

		if (bits & field)
			bits |= field;
	}
	return bits;
}

/* The array @key of names and numbers of bits of @reg; all bits if there is no array. */
static uint64_t key_bits(const char *line, const char *key,
			 const struct regpin_register *reg)
{
	uint64_t bits = 0;
	char quoted[32], name[64];
	const char *at;
	int len;

	snprintf(quoted, sizeof(quoted), "\"%s\":[", key);
	at = strstr(line, quoted);
	if (!at)
		return UINT64_MAX;
	at += strlen(quoted);
	while (sscanf(at, "\"%63[^\"]\"%n", name, &len) == 1) {
		uint64_t named = reg ? register_bit(reg, name) : 0;

		bits |= named ? named : 1ull << strtoul(name, NULL, 10);
		at += len;
		at += *at == ',';
	}
	return bits;
}

/* Compares the rule, its place and the bits. */
static void compare_rule(const struct step *step, unsigned int n,
			 const char *line)
{
	const struct regpin_event *e = named(step);
	char rule[32], where[400], live[400] = "";
	const struct regpin_register *reg;
	const struct rule *r = NULL;
	bool floor;

	if (e && e->rule < recorded.policy->nr_rules)
		r = &recorded.policy->rules[e->rule];
	if (r)
		snprintf(live, sizeof(live), "%s:%u:%u", policy_path, r->line,
			 r->column);
	key_text(line, "rule", rule, sizeof(rule));
	key_text(line, "where", where, sizeof(where));
	if (strcmp(where, live) != 0 ||
	    strcmp(rule, r ? rule_type_names[r->type] : "") != 0)
		differs(step, n, "the event is by '%s' at '%s', sim gives '%s' at '%s'",
			r ? rule_type_names[r->type] : "", live, rule, where);
	if (!e)
		return;
	if (r)
		tally.types[r->type]++;
	tally.actions[e->action]++;
	/* `require` is about another register than the one written. */
	floor = r && r->type == RULE_REQUIRE;
	reg = floor ? register_find(r->kind, r->index) :
		      register_find(e->kind, e->index);
	if (whole_fields(reg, e->bits) !=
	    key_bits(line, floor ? "lacks" : "bits", reg))
		differs(step, n, "bits 0x%llx, sim gives %s", e->bits, line);
	if (e->type != REGPIN_EVENT_VIOLATION)
		return;
	if (e->index != step->index || e->write != (step->op == TRACE_WRMSR) ||
	    e->vcpu != step->vcpu || !e->has_rip ||
	    e->rip != (e->write ? TINY_WRMSR : TINY_RDMSR) || e->cpl)
		differs(step, n, "the event is about another register");
	if (e->write)
		compare_values(step, n, e, r && r->type == RULE_UNKNOWN);
}

/* Compares the other events and their order. */
static void compare_events(const struct step *step, unsigned int n,
			   const char *line)
{
	char live[600] = "\"events\":[";
	const char *sim = strstr(line, "\"events\":[");
	size_t used = strlen(live);

	for (unsigned int i = 0; i < step->nr_events; i++) {
		const struct regpin_event *e = &step->events[i];
		const char *why = event_cause_name(e), *key = "cause";

		if (e == named(step))
			continue;
		if (e->type == REGPIN_EVENT_ANSWERED) {
			why = regpin_action_names[e->action];
			key = "action";
		}
		used += (size_t)snprintf(live + used, sizeof(live) - used,
			"%s{\"vcpu\":%u,\"event\":\"%s\"",
			live[used - 1] == '[' ? "" : ",", e->vcpu,
			event_type_names[e->type]);
		if (why)
			used += (size_t)snprintf(live + used,
				sizeof(live) - used, ",\"%s\":\"%s\"", key, why);
		used += (size_t)snprintf(live + used, sizeof(live) - used, "}");
	}
	snprintf(live + used, sizeof(live) - used, "]}");
	if (!sim || strcmp(sim, live) != 0)
		differs(step, n, "the events are %s, sim gives %s", live,
			sim ? sim : line);
}

static int fate_of(const char *outcome)
{
	return !strcmp(outcome, "gp") ? TINY_GP :
	       !strcmp(outcome, "pause") ? TINY_HELD :
	       !strcmp(outcome, "stop") ? TINY_STOPPED : 0;
}

/*
 * Did a mask leave a value that KVM accepts as it is? Otherwise only the #GP is
 * compared.
 */
static bool mask_taken(const struct step *step, unsigned int n, uint64_t value)
{
	uint64_t after;

	if (!believe_tcg_differs(step->index, value) &&
	    believe_twin(recorded.twin, true, step->index, value, true,
			 step->before, &after) == TWIN_DONE && after == value)
		return step->refusal == TRACE_TAKEN || step->value != value;
	if (step->fate == TINY_GP && step->after != step->before)
		differs(step, n, "refused, but the register holds 0x%" PRIx64, step->after);
	tally.cut++;
	return false;
}

/* Returns false if the rest cannot be compared. */
static bool compare_access(const struct step *step, unsigned int n,
			   const char *line, const char *outcome)
{
	const struct regpin_event *e = violation(step);
	/* A vCPU that was held or stopped before does not get to the access. */
	uint64_t value = key_number(line, "value", step->after);
	bool write = step->op == TRACE_WRMSR;

	tally.accesses++;
	tally.fates[step->fate <= TINY_STOPPED ? step->fate : 0]++;
	tally.refusals[step->refusal]++;
	tally.volatiles += step->volatile_value;
	if (!strcmp(outcome, "mask") && !mask_taken(step, n, value))
		return false;
	if (step->fate != fate_of(outcome))
		differs(step, n, "it ends with %d, sim gives %s (%s)", step->fate,
			outcome, line);
	else if (!step->fate && strcmp(outcome, e ?
				       regpin_action_names[e->action] :
				       "ok") != 0)
		differs(step, n, "the event gives %s, sim %s",
			e ? regpin_action_names[e->action] : "nothing", outcome);
	if (write && step->known && !step->volatile_value &&
	    value != step->after)
		differs(step, n, "the register is 0x%" PRIx64 ", sim gives 0x%" PRIx64,
			step->after, value);
	if (!write && !step->fate && !step->volatile_value &&
	    value != step->read)
		differs(step, n, "it read 0x%" PRIx64 ", sim gives 0x%" PRIx64,
			step->read, value);
	/* A volatile register that is answered is no longer volatile. */
	if (!write && !step->fate && e && e->action == REGPIN_DROP &&
	    step->read != value)
		differs(step, n, "it read 0x%" PRIx64 ", sim gives 0x%" PRIx64,
			step->read, value);
	return true;
}

static bool compare_line(struct step *step, unsigned int n,
			 const char *line)
{
	char outcome[32];
	bool access = step->op == TRACE_RDMSR || step->op == TRACE_WRMSR;

	tally.steps++;
	if (!key_text(line, "outcome", outcome, sizeof(outcome))) {
		differs(step, n, "sim has no outcome: %s", line);
		return false;
	}
	if (access)
		forget_repeated(step);
	if (access && judged_twice(step)) {
		tally.repeated++;
		return false;
	}
	if (access && !compare_access(step, n, line, outcome))
		return false;
	if (!access && (step->fate != 0) != (strcmp(outcome, "ok") != 0))
		differs(step, n, "it ends with %d, sim gives %s", step->fate,
			outcome);
	if (access)
		compare_rule(step, n, line);
	compare_events(step, n, line);
	return true;
}

void believe_sim(void)
{
	unsigned int skip = write_trace(), n;
	int status = ask("sim", trace_path);
	char *line = output, *end;

	if (status) {
		differs(&recorded.steps[0], 0, "sim ends with %d: %.300s", status, output);
		return;
	}
	for (n = 0; n < skip + recorded.nr_steps; n++, line = end + 1) {
		end = strchr(line, '\n');
		if (!end) {
			differs(&recorded.steps[0], n, "sim has no more lines");
			return;
		}
		*end = 0;
		if (n >= skip && !compare_line(&recorded.steps[n - skip], n + 1, line))
			return;
	}
}
