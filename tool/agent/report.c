// SPDX-License-Identifier: GPL-2.0-only
/* Reports the VM's events as lines of JSON, and limits and sums them up. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent_output.h"
#include "base/clock.h"
#include "base/proc.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "event/event_sum_json.h"
#include "launch_state.h"
#include "limit.h"
#include "out.h"
#include "outage.h"
#include "policy/effective.h"
#include "policies.h"
#include "policy/policy_fit.h"
#include "report.h"
#include "rule_counts.h"
#include "timed.h"

#define BATCH		256	/* events taken before the processes are checked */
#define FAREWELL_MS	2000	/* a slow reader has this time after the VMM's end */

/* A held write is counted when it is answered: only then is it stopped or let pass. */
static void count_violation(struct agent *agent,
			    const struct regpin_event *event)
{
	if (event->action == REGPIN_PAUSE)
		pauses_add(&agent->pauses, event);
	else if (event->action == REGPIN_REPORT ||
		 event->action == REGPIN_ALLOW)
		agent->reports++;
	else
		agent->violations++;
}

/* The answer decides how the violations of a held access count. */
static void count_answer(struct agent *agent, const struct regpin_event *event)
{
	const struct pause *pause = pauses_violation(&agent->pauses, event);
	struct regpin_event counted = *event;

	for (unsigned int i = 0; pause && i < pause->nr_rules; i++) {
		counted.policy = pause->policy;
		counted.rule = pause->rules[i];
		rule_counts_add(agent, &counted);
	}
}

static void count_rule(struct agent *agent, const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_ANSWERED)
		count_answer(agent, event);
	else if (event->type == REGPIN_EVENT_DETECTED ||
		 (event->type == REGPIN_EVENT_VIOLATION &&
		  event->action != REGPIN_PAUSE))
		rule_counts_add(agent, event);
}

static void count(struct agent *agent, const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_VIOLATION ||
	    (event->type == REGPIN_EVENT_ANSWERED &&
	     pauses_take(&agent->pauses, event)))
		count_violation(agent, event);
	else if (event->type == REGPIN_EVENT_DETECTED)
		agent->detected++;
	else if (event->type == REGPIN_EVENT_RESET)
		pauses_take(&agent->pauses, event);
	else if (event->type == REGPIN_EVENT_ARMED)
		agent->armed = true;
	else if (event->type == REGPIN_EVENT_REFUSED)
		agent->refusal_reported = true;
}

void report_replace_policy(struct agent *agent, const struct regpin_policy *policy)
{
	/* The sums name rules of the previous policy, so they are reported first. */
	report_repeated(agent, true);
	policies_keep(agent, &agent->launch->policy);
	policy_copy(&agent->launch->policy, policy);
}

/* Does @event hold its vCPU until the operator answers? */
static bool holds_vcpu(const struct regpin_event *event)
{
	return event->action == REGPIN_PAUSE &&
	       (event->type == REGPIN_EVENT_VIOLATION ||
		event->type == REGPIN_EVENT_DETECTED ||
		event->type == REGPIN_EVENT_INIT ||
		event->type == REGPIN_EVENT_DEADLINE);
}

/* Has the guest violated a rule? */
static bool is_violation(const struct regpin_event *event)
{
	return event->type == REGPIN_EVENT_VIOLATION ||
	       event->type == REGPIN_EVENT_DETECTED;
}

/*
 * Writes the line of a sum, if the budget allows it. Without @many_kinds it is about the
 * policy of its events. @first: it has the first event of a kind.
 */
static void put_sum(struct agent *agent, const char *name, const struct limit_sum *sum,
		    bool many_kinds, bool first)
{
	const struct budget_line place = {
		.kind = many_kinds ? BUDGET_SEVERAL : sum->event.type,
		.vm = sum->event.vm, .first = first, .count = sum->count,
	};
	const struct line_about about = {
		.policy = many_kinds ? agent->launch->policy.number : sum->event.policy,
		.use = many_kinds || is_violation(&sum->event) ? LINE_HOOK : 0,
	};
	char line[EVENT_LINE_MAX];

	if (!budget_pass(&agent->budget, &place, clock_now()))
		return;
	agent_write_line_of(agent, line,
			    event_sum_json(line, name, sum, many_kinds,
					   policies_find(agent, sum->event.policy),
					   clock_wall()), &about);
}

static void put_event(struct agent *agent, const struct regpin_event *event,
		      uint64_t now)
{
	const struct regpin_policy *policy;
	char line[EVENT_LINE_MAX];
	struct line_about about = { .policy = event->policy };
	struct budget_line place = { .kind = event->type, .vm = event->vm, .count = 1 };
	bool pauses = holds_vcpu(event);
	enum limit_line line_of;

	if (!event_is_valid(event)) {
		agent->nonsense++;
		return;
	}
	if (event->type == REGPIN_EVENT_ANSWERED) {
		about.hold = pauses_hold(&agent->pauses, event, 0);
		if (pauses_is_timed(&agent->pauses, event))
			about.use |= LINE_TIMED;
	}
	count_rule(agent, event);
	count(agent, event);
	if (pauses)
		timed_expect(agent, now);
	if (pauses && event->type != REGPIN_EVENT_VIOLATION)
		pauses_add(&agent->pauses, event);
	policy = policies_find(agent, event->policy);
	line_of = limit_pass(&agent->limit, event, policy, now);
	place.first = line_of == LIMIT_FIRST;
	if (line_of == LIMIT_NONE || !budget_pass(&agent->budget, &place, now))
		return;
	if (pauses)
		about.hold = pauses_hold(&agent->pauses, event, agent->seq + 1);
	if (event->type == REGPIN_EVENT_ATTACHED ||
	    event->type == REGPIN_EVENT_POLICY)
		about.use |= LINE_WHOLE;
	if (pauses || is_violation(event))
		about.use |= LINE_HOOK;
	agent_write_line_of(agent, line, event_json(line, event, policy), &about);
}

/* Reports how many events of each kind got no line, because the budget is used up. */
static void report_withheld(struct agent *agent, uint64_t now)
{
	unsigned int kind;
	uint64_t count;

	while (out_has_room(agent->events) &&
	       budget_take(&agent->budget, now, &kind, &count)) {
		struct agent_event event = {
			.type = "withheld",
			.of = kind < REGPIN_EVENT_TYPE_MAX ? event_type_names[kind] :
			      kind == BUDGET_CONTROL ? "control" : NULL,
			.text = "the VMM's processes have used up the lines that the agent writes about their events in an hour (--event-total), so these events were only counted. One guest can't cause so many: the guests of several VMs violate rules, or a process of the VMM is compromised",
		};

		event.counts[0].name = "count";
		event.counts[0].n = count;
		agent_report(agent, &event);
	}
}

void report_repeated(struct agent *agent, bool all)
{
	static struct limit_sum sum;
	uint64_t now = clock_now();
	bool many_kinds;

	/* While there is no room, the second and the hour of the limits do not end. */
	while (out_has_room(agent->events) &&
	       limit_take(&agent->limit, now, all, &sum, &many_kinds))
		put_sum(agent, "repeated", &sum, many_kinds, false);
	if (budget_is_due(&agent->budget, now, all))
		report_withheld(agent, now);
}

bool report_events(struct agent *agent)
{
	struct ring *ring = &agent->launch->shared->ring;
	struct regpin_event event;
	uint64_t now = clock_now();

	report_repeated(agent, false);
	for (int i = 0; i < BATCH && out_has_room(agent->events); i++) {
		if (!ring_get(ring, &event))
			return false;
		put_event(agent, &event, now);
	}
	return true;
}

/* Reports the sum of dropped events of one kind, or adds it to another sum. */
static void put_lost(struct agent *agent, struct limit_sum *sum, uint64_t now)
{
	const struct regpin_policy *policy;
	const struct rule *rule;
	enum limit_line line_of;

	if (!event_is_valid(&sum->event)) {
		agent->nonsense++;
		return;
	}
	policy = policies_find(agent, sum->event.policy);
	rule = policy && sum->event.rule < policy->nr_rules ?
		       &policy->rules[sum->event.rule] : NULL;
	sum->by_index = rule && rule->count != 1;
	if (sum->by_index) {
		sum->indices[sum->nr_indices++] = sum->event.index;
		sum->more_indices = sum->count > 1;
	}
	line_of = limit_pass_sum(&agent->limit, sum, policy, now);
	if (line_of != LIMIT_NONE)
		put_sum(agent, "dropped", sum, false, line_of == LIMIT_FIRST);
}

/* Reports all dropped events by kind. Returns false if there was no room for all lines. */
static bool report_lost(struct agent *agent, uint64_t now)
{
	struct ring *ring = &agent->launch->shared->ring;
	uint32_t at = 0;

	while (out_has_room(agent->events)) {
		struct limit_sum sum = { 0 };

		if (!ring_take_lost(ring, &at, &sum.event, &sum.count,
				    &sum.first))
			return true;
		put_lost(agent, &sum, now);
	}
	return false;
}

void report_dropped(struct agent *agent, bool all)
{
	const struct ring *ring = &agent->launch->shared->ring;
	uint64_t dropped = ring_dropped(ring), unnamed;
	uint64_t now = clock_now();
	struct agent_event event = { .type = "dropped" };

	if (dropped <= agent->dropped || !out_has_room(agent->events) ||
	    (!all && now - agent->dropped_at < REPORT_DROPPED_MS) ||
	    !report_lost(agent, now))
		return;
	agent->dropped = dropped;
	agent->dropped_at = now;
	unnamed = ring_unnamed(ring);
	if (unnamed <= agent->unnamed)
		return;
	event.counts[0].name = "count";
	event.counts[0].n = unnamed - agent->unnamed;
	agent->unnamed = unnamed;
	agent_report(agent, &event);
}

/*
 * The shim prints on stderr why it ends the VMM. If it could not report an event as well
 * (there was no VM yet, or the ring was full), the agent reports it.
 */
static void report_refused(struct agent *agent)
{
	uint32_t refused = atomic_load(&agent->launch->shared->refused);
	struct agent_event event = { .type = "refused" };

	if (!refused || refused > REGPIN_REFUSED_MAX || agent->refusal_reported)
		return;
	agent->refusal_reported = true;
	event.reason = event_refusal_name(refused - 1);
	event.text = regpin_refusal_text(refused - 1);
	agent_report(agent, &event);
}

void report_unarmed(struct agent *agent)
{
	uint32_t ms = agent->launch->policy.settings.unarmed_ms;
	struct agent_event event = { .type = "unarmed" };
	char text[128];

	if (!ms || !agent->attached || agent->armed || agent->unarmed_reported ||
	    clock_now() - agent->attached_at < ms)
		return;
	agent->unarmed_reported = true;
	snprintf(text, sizeof(text), "no vCPU has armed within %u.%03u s: the policy's pins do not hold yet",
		 ms / 1000, ms % 1000);
	event.text = text;
	agent_report(agent, &event);
	agent_log(agent, "warning: %s (is the guest still in its firmware, or does its kernel not write LSTAR?)",
		  text);
}

int report_sleep(const struct agent *agent)
{
	uint32_t ms = agent->launch->policy.settings.unarmed_ms;
	uint64_t now = clock_now(), due = UINT64_MAX;

	if (ms && agent->attached && !agent->armed && !agent->unarmed_reported)
		due = agent->attached_at + ms;
	if (out_has_room(agent->events) && limit_due(&agent->limit) < due)
		due = limit_due(&agent->limit);
	if (out_has_room(agent->events) && budget_due(&agent->budget) < due)
		due = budget_due(&agent->budget);
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

void report_mode(struct agent *agent)
{
	const struct launch *launch = agent->launch;
	struct policy_tally tally = policy_tally(&launch->policy,
						 launch->table.left_out);
	enum policy_mode effective = policy_effective(&launch->policy,
						      launch->written.own,
						      launch->mode);
	char text[128];
	struct agent_event event = {
		.type = "mode", .mode = policy_mode_names[effective],
		.to = policy_mode_names[effective],	/* the name of @mode before version 1 */
		.text = text,
		.counts = {
			{ "rules_enforced", tally.enforced },
			{ "rules_detected", tally.detected },
			{ "rules_report", tally.report },
			{ "rules_left_out", tally.left_out },
		},
	};

	if (launch->mode == MODE_POLICY && effective == MODE_ENFORCE)
		return;
	policy_mode_text(text, sizeof(text), &launch->policy,
			 launch->written.own, launch->mode);
	agent_report(agent, &event);
}

void report_degraded(struct agent *agent)
{
	const struct launch *launch = agent->launch;

	for (unsigned int i = 0; i < launch->nr_degraded; i++) {
		const struct rule *rule = &launch->degraded[i];
		enum fitted fitted = rule->flags & RULE_DETECT ?
			FIT_DETECTED : FIT_LEFT_OUT;
		char how[FIT_TEXT], text[FIT_TEXT + 512];
		struct agent_event event = {
			.type = "degraded", .policy = &launch->policy,
			.rule = rule, .text = text,
			.rule_action = regpin_action_names[rule->action],
		};

		snprintf(text, sizeof(text), "the rule %s: %s",
			 fit_text(how, &launch->policy, fitted, rule),
			 launch->degraded_why[i]);
		if (fitted == FIT_DETECTED) {
			event.action = fit_reaction(&launch->policy, rule);
			event.counts[0].name = "every_ms";
			event.counts[0].n = launch->policy.settings.detect_ms;
		}
		agent_report(agent, &event);
	}
	if (launch->init_why) {
		struct agent_event event = {
			.type = "degraded", .reason = "init",
			.text = launch->init_why,
		};

		agent_report(agent, &event);
	}
}

void report_flush(struct agent *agent)
{
	outage_run(agent, out_flush(agent->events), clock_now());
	out_flush(agent->messages);
}

static void log_lost_lines(struct agent *agent)
{
	uint64_t lost;

	if (agent->events == agent->messages)
		return;
	out_give_up(agent->events);
	lost = agent->events->lost;
	if (lost)
		agent_log(agent, "%llu line%s of events %s lost: %s had no reader, or could not be written",
			  (unsigned long long)lost, lost == 1 ? "" : "s",
			  lost == 1 ? "is" : "are", agent->launch->events_name);
}

static void put_status(struct agent_event *event, const struct watch *watch)
{
	bool exited = WIFEXITED(watch->status);

	if (!watch->has_status)
		return;
	event->counts[7].name = exited ? "exit_status" : "signal";
	event->counts[7].n = (unsigned int)(exited ? WEXITSTATUS(watch->status) :
						      WTERMSIG(watch->status));
}

void report_remaining(struct agent *agent)
{
	struct agent_event event = {
		.type = "detached",
		.counts = {
			{ "violations_stopped", 0 }, { "violations_passed", 0 },
			{ "violations_detected", 0 }, { "dropped", 0 },
			/* The names that these keys had before version 1. */
			{ "violations", 0 }, { "reports", 0 }, { "detected", 0 },
		},
	};
	uint64_t end = clock_now() + FAREWELL_MS, dropped;
	bool more = true, reported = !agent->attached;
	struct regpin_event unread;
	struct pollfd pfd;
	/* A VMM leaves at most one full ring, but a compromised one could write forever. */
	unsigned int batches = 2 * RING_SLOTS / BATCH;

	do {
		more = more && batches && report_events(agent);
		batches -= more && out_has_room(agent->events);
		report_repeated(agent, !more);
		report_dropped(agent, true);
		if (!more)
			report_refused(agent);
		if (!more && !reported && !limit_left(&agent->limit) && !agent->budget.total &&
		    out_has_room(agent->events)) {
			event.counts[0].n = event.counts[4].n = agent->violations;
			event.counts[1].n = event.counts[5].n = agent->reports;
			event.counts[2].n = event.counts[6].n = agent->detected;
			event.counts[3].n = agent->dropped;
			put_status(&event, &agent->watch);
			agent_report(agent, &event);
			reported = agent->outage.ended = true;
		}
		report_flush(agent);
		if (!more && reported && !agent->events->len)
			break;
		if (out_poll(agent->events, &pfd) > 0 || pfd.fd >= 0)
			poll(&pfd, 1, 50);
	} while (clock_now() < end);
	agent->events->lost += !reported;
	agent->events->lost += limit_left(&agent->limit) + agent->budget.total;
	dropped = ring_dropped(&agent->launch->shared->ring);
	agent->events->lost += dropped > agent->dropped ?
				       dropped - agent->dropped : 0;
	for (unsigned int n = 0; more && n < RING_SLOTS; n++) {
		more = ring_get(&agent->launch->shared->ring, &unread);
		agent->events->lost += more;
	}
	log_lost_lines(agent);
}

void report_summary(struct agent *agent)
{
	char name[256];

	if (agent->nonsense)
		agent_log(agent, "warning: the VMM's process wrote %llu events that regpin never writes: the process may be compromised",
			  (unsigned long long)agent->nonsense);
	if (agent->attached || agent->killed || agent->refusal_reported)
		return;
	snprintf(name, sizeof(name), "%s", agent->launch->argv[0]);
	make_printable(name);
	agent_log(agent, "warning: %s ended without having created a KVM VM: nothing was protected",
		  name);
}
