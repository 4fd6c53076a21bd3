/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The invariants of the limiter of events, derived from the promises of regpin-events(7), not
 * from limit.c. oracle_event() gives each event to both, oracle_take() lets time pass,
 * and oracle_end() makes the last checks.
 */
#ifndef REGPIN_TESTS_LIMIT_ORACLE_H
#define REGPIN_TESTS_LIMIT_ORACLE_H

#include "agent/limit.h"
#include "build_policy.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

#define ORACLE_VMS	3u
#define ORACLE_RULES	320u
#define ORACLE_VCPUS	320u
#define ORACLE_TYPES	REGPIN_EVENT_TYPE_MAX

#define MUST(x)								\
	do {								\
		if (!(x)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #x);				\
			abort();					\
		}							\
	} while (0)

/* For one kind of event: what went into the limiter, and what came out of it. */
struct oracle_row {
	uint64_t in, out;
	uint64_t bits_in, bits_out;
	uint64_t last_in, value_in, last_out, value_out;
	bool seen[2];
	uint64_t places[2];
};

static struct oracle {
	struct limit limit;
	const struct regpin_policy *policy;
	unsigned int max, total;
	uint64_t now, clock;
	uint64_t end[ORACLE_VMS];
	uint64_t lines[ORACLE_VMS][ORACLE_TYPES];
	uint64_t most, firsts, sums;
	struct oracle_row rules[ORACLE_VMS][ORACLE_TYPES][ORACLE_RULES];
	bool came[ORACLE_VMS][ORACLE_TYPES][16][ORACLE_VCPUS];
} oracle;

static inline bool oracle_names_rule(unsigned int type)
{
	return type == REGPIN_EVENT_VIOLATION || type == REGPIN_EVENT_DETECTED ||
	       type == REGPIN_EVENT_VMM_WRITE;
}

/* Events of these types have a number that is their reason. */
static inline bool oracle_has_reason(unsigned int type)
{
	return type == REGPIN_EVENT_ARMED || type == REGPIN_EVENT_DISARMED ||
	       type == REGPIN_EVENT_FAILED || type == REGPIN_EVENT_SHUTDOWN ||
	       type == REGPIN_EVENT_UNREACHED;
}

static inline bool oracle_is_free(unsigned int type)
{
	return type == REGPIN_EVENT_ATTACHED || type == REGPIN_EVENT_REFUSED ||
	       type == REGPIN_EVENT_POLICY;
}

static inline void oracle_begin(const struct regpin_policy *policy,
				unsigned int max, unsigned int total)
{
	limit_free(&oracle.limit);
	memset(&oracle, 0, sizeof(oracle));
	oracle.policy = policy;
	oracle.max = max;
	oracle.total = total;
	limit_init(&oracle.limit, max, total);
}

static inline void oracle_hour(uint32_t vm)
{
	if (oracle.end[vm] && oracle.now < oracle.end[vm])
		return;
	/* Before its first event a VM has no hour. */
	oracle.end[vm] = oracle.now + 3600000;
	memset(oracle.lines[vm], 0, sizeof(oracle.lines[vm]));
	memset(oracle.came[vm], 0, sizeof(oracle.came[vm]));
	for (unsigned int t = 0; t < ORACLE_TYPES; t++)
		for (unsigned int r = 0; r < ORACLE_RULES; r++)
			for (int w = 0; w < 2; w++) {
				oracle.rules[vm][t][r].seen[w] = false;
				oracle.rules[vm][t][r].places[w] = 0;
			}
}

static inline struct oracle_row *oracle_row(const struct regpin_event *event)
{
	uint32_t rule = oracle_names_rule(event->type) ? event->rule : 0;

	MUST(event->vm < ORACLE_VMS && rule < ORACLE_RULES);
	return &oracle.rules[event->vm][event->type][rule];
}

/* Must this event be written, whatever came before it? */
static inline bool oracle_is_first(const struct regpin_event *event)
{
	struct oracle_row *row = oracle_row(event);
	const struct rule *rule = &oracle.policy->rules[event->rule];
	bool *came, first;
	uint64_t places;

	if (!oracle_names_rule(event->type)) {
		came = &oracle.came[event->vm][event->type][
			oracle_has_reason(event->type) ?
			event->detail % 16 : event->action][event->vcpu];
		first = !*came;
		*came = true;
		return first;
	}
	first = !row->seen[event->write];
	row->seen[event->write] = true;
	places = row->places[event->write];
	if (rule->count == 1 && event->bits != ALL)
		row->places[event->write] |= event->bits;
	else if (rule->count > 1 && rule->count <= 64)
		row->places[event->write] |=
			1ull << (event->index - rule->index);
	return first || places != row->places[event->write];
}

/* Counts one more line of repeats in this hour. */
static inline void oracle_line(const struct regpin_event *event)
{
	uint64_t *lines = &oracle.lines[event->vm][event->type];
	uint64_t most = event->type == REGPIN_EVENT_VIOLATION ? oracle.total :
							(oracle.total + 9) / 10;

	++*lines;
	if (*lines > oracle.most)
		oracle.most = *lines;
	MUST(!oracle.total || *lines <= most);
}

static inline void oracle_out(const struct regpin_event *event, uint64_t count)
{
	struct oracle_row *row = oracle_row(event);

	row->out += count;
	row->bits_out |= event->bits;
	if (event->time >= row->last_out) {
		row->last_out = event->time;
		row->value_out = event->new_value;
	}
	MUST(row->out <= row->in);
}

/* Is the event written? */
static inline bool oracle_event(struct regpin_event event)
{
	struct oracle_row *row = oracle_row(&event);
	bool first, passes;

	event.time = ++oracle.clock;
	/* A VM's first hour begins with an event that the guest can cause. */
	if (oracle.max && !oracle_is_free(event.type))
		oracle_hour(event.vm);
	row->in++;
	row->bits_in |= event.bits;
	row->last_in = event.time;
	row->value_in = event.new_value;
	first = oracle_is_first(&event);
	passes = limit_pass(&oracle.limit, &event, oracle.policy, oracle.now);
	MUST(passes || oracle.max);
	MUST(passes || !oracle_is_free(event.type));
	MUST(passes || !first);
	oracle.firsts += first;
	if (passes)
		oracle_out(&event, 1);
	/*
	 * Parts of a long range count as firsts, too, but the oracle does not model
	 * those.
	 */
	if (passes && !first && oracle.max && !oracle_is_free(event.type) &&
	    !(oracle_names_rule(event.type) &&
	      oracle.policy->rules[event.rule].count > 64))
		oracle_line(&event);
	return passes;
}

static inline void oracle_sum(const struct limit_sum *sum, bool all)
{
	const struct regpin_event *event = &sum->event;
	struct oracle_row *row = oracle_row(event);
	const struct rule *rule = &oracle.policy->rules[event->rule];

	MUST(sum->count && sum->first <= event->time);
	MUST(sum->count > 1 || sum->first == event->time);
	MUST(event->time <= oracle.clock && row->in);
	MUST(sum->nr_indices <= SUM_INDICES);
	if (oracle_names_rule(event->type)) {
		MUST(sum->by_index == (rule->count != 1));
		MUST(!sum->by_index || sum->nr_indices);
		MUST(!sum->more_indices || sum->nr_indices == SUM_INDICES);
	}
	oracle.sums++;
	oracle_out(event, sum->count);
	if (!all)
		oracle_line(event);
}

/* Time passes by @ms, and sums that are due are taken; with @all, all sums. */
static inline void oracle_take(uint64_t ms, bool all)
{
	struct limit_sum sum;
	bool many_kinds;

	oracle.now += ms;
	for (uint32_t vm = 0; vm < ORACLE_VMS; vm++)
		if (oracle.end[vm])
			oracle_hour(vm);
	while (limit_take(&oracle.limit, oracle.now, all, &sum, &many_kinds)) {
		MUST(!many_kinds);
		oracle_sum(&sum, all);
	}
	MUST(limit_due(&oracle.limit) > oracle.now ||
	     oracle.limit.end <= oracle.now);
	MUST(!all || !limit_left(&oracle.limit));
}

/* Nothing was lost: no event, no bit, and no last value of any kind. */
static inline void oracle_end(void)
{
	oracle_take(0, true);
	for (unsigned int vm = 0; vm < ORACLE_VMS; vm++)
		for (unsigned int t = 0; t < ORACLE_TYPES; t++)
			for (unsigned int r = 0; r < ORACLE_RULES; r++) {
				const struct oracle_row *row =
					&oracle.rules[vm][t][r];

				MUST(row->in == row->out);
				MUST(row->bits_in == row->bits_out);
				MUST(row->last_in == row->last_out);
				MUST(row->value_in == row->value_out);
			}
}

/* Rules of each shape, and many more of one bit each, on the same registers. */
static inline struct regpin_policy *oracle_policy(uint32_t rules)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, 0xd01, REGPIN_REPORT);
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, ALL, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_GP);
	add_deny(policy, 0xc00, 8, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x10000, 4096, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_wide(policy, RULE_DEFAULT, REGPIN_GP, 0, 0);
	add_wide(policy, RULE_UNKNOWN, REGPIN_REPORT, 0, 0);
	add_wide(policy, RULE_INVALID, REGPIN_DROP, 0, 0);
	while (policy->nr_rules < rules)
		add_rule(policy, RULE_NEVER, REGPIN_CR0, 0,
			 1ull << policy->nr_rules % 64, REGPIN_GP);
	/* For events that are made before the limiter is created. */
	oracle.policy = policy;
	return policy;
}

/* An event of @type that fits @rule; @random chooses the other fields. */
static inline struct regpin_event
oracle_make(uint32_t vm, unsigned int type, uint32_t rule, uint64_t random)
{
	const struct rule *of = &oracle.policy->rules[rule];
	struct regpin_event event = {
		.type = type, .vm = vm, .rule = REGPIN_NO_RULE,
		.vcpu = (uint32_t)(random >> 8) % ORACLE_VCPUS,
		.new_value = random,
	};

	if (!oracle_names_rule(type)) {
		event.detail = (uint32_t)(random % 7);
		return event;
	}
	event.rule = rule;
	event.kind = of->kind;
	event.index = of->count == 1 ? of->index :
		      of->count ? of->index + (uint32_t)(random >> 20) % of->count :
				  (uint32_t)(random >> 20) % 300;
	event.action = of->action;
	event.write = type == REGPIN_EVENT_VMM_WRITE ||
		      (of->access & ACCESS_READ ? random >> 7 & 1 : 1);
	event.bits = of->mask;
	if (of->mask != ALL || of->type == RULE_STICKY)
		event.bits = of->mask & (1ull << (random >> 40) % 64);
	if (!event.bits)
		event.bits = of->mask & -of->mask;
	return event;
}

#endif
