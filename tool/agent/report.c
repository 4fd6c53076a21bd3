// SPDX-License-Identifier: GPL-2.0-only
/* What the agent tells: events as lines of JSON, messages on stderr. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "agent_output.h"
#include "base/clock.h"
#include "base/proc.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "event/event_sum_json.h"
#include "launch_state.h"
#include "limit.h"
#include "out.h"
#include "policies.h"
#include "policy/policy_fit.h"
#include "report.h"

#define BATCH		256	/* events before the processes are looked at */
#define FAREWELL_MS	2000	/* for a slow reader, after the VMM's end */

/* A write that is held is counted when it is known what becomes of it. */
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

static void count(struct agent *agent, const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_VIOLATION ||
	    (event->type == REGPIN_EVENT_ANSWERED &&
	     pauses_take(&agent->pauses, event)))
		count_violation(agent, event);
	else if (event->type == REGPIN_EVENT_DETECTED)
		agent->detected++;
	else if (event->type == REGPIN_EVENT_ARMED)
		agent->armed = true;
	else if (event->type == REGPIN_EVENT_REFUSED)
		agent->refused = true;
}

void tell_new_policy(struct agent *agent, const struct regpin_policy *policy)
{
	/* The sums are of the old policy's rules. */
	tell_repeated(agent, true);
	policies_keep(agent, &agent->launch->policy);
	policy_copy(&agent->launch->policy, policy);
}

static void put_event(struct agent *agent, const struct regpin_event *event,
		      uint64_t now)
{
	const struct regpin_policy *policy;
	char line[EVENT_LINE_MAX];

	if (!event_makes_sense(event)) {
		agent->nonsense++;
		return;
	}
	count(agent, event);
	policy = policies_find(agent, event->policy);
	if (limit_pass(&agent->limit, event, policy, now))
		agent_line(agent, line, event_json(line, event, policy));
}

void tell_repeated(struct agent *agent, bool all)
{
	static struct limit_sum sum;
	uint64_t now = clock_now();
	char line[EVENT_LINE_MAX];
	bool many_kinds;

	/* Where there is no room the second, and the hour, go on until there is. */
	while (out_room(agent->events) &&
	       limit_take(&agent->limit, now, all, &sum, &many_kinds))
		agent_line(agent, line,
			  event_sum_json(line, "repeated", &sum, many_kinds,
					 policies_find(agent, sum.event.policy),
					 clock_wall()));
}

/* Returns false if the ring is empty, true if there may be more. */
bool tell_events(struct agent *agent)
{
	struct ring *ring = &agent->launch->shared->ring;
	struct regpin_event event;
	uint64_t now = clock_now();

	tell_repeated(agent, false);
	for (int i = 0; i < BATCH && out_room(agent->events); i++) {
		if (!ring_get(ring, &event))
			return false;
		put_event(agent, &event, now);
	}
	return true;
}

/* The sum of what was dropped of one kind: written, or part of another sum. */
static void put_lost(struct agent *agent, struct limit_sum *sum, uint64_t now)
{
	const struct regpin_policy *policy;
	const struct rule *rule;
	char line[EVENT_LINE_MAX];

	if (!event_makes_sense(&sum->event)) {
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
	if (limit_lost(&agent->limit, sum, policy, now))
		agent_line(agent, line, event_sum_json(line, "dropped", sum,
						      false, policy,
						      clock_wall()));
}

/* Returns false if there was no room for all. */
static bool tell_lost(struct agent *agent, uint64_t now)
{
	struct ring *ring = &agent->launch->shared->ring;
	uint32_t at = 0;

	while (out_room(agent->events)) {
		struct limit_sum sum = { 0 };

		if (!ring_take_lost(ring, &at, &sum.event, &sum.count,
				    &sum.first))
			return true;
		put_lost(agent, &sum, now);
	}
	return false;
}

void tell_dropped(struct agent *agent, bool all)
{
	const struct ring *ring = &agent->launch->shared->ring;
	uint64_t dropped = ring_dropped(ring), unnamed;
	uint64_t now = clock_now();
	struct notice notice = { .event = "dropped" };

	if (dropped <= agent->dropped || !out_room(agent->events) ||
	    (!all && now - agent->dropped_at < TELL_DROPPED_MS) ||
	    !tell_lost(agent, now))
		return;
	agent->dropped = dropped;
	agent->dropped_at = now;
	unnamed = ring_unnamed(ring);
	if (unnamed <= agent->unnamed)
		return;
	notice.counts[0].name = "count";
	notice.counts[0].n = unnamed - agent->unnamed;
	agent->unnamed = unnamed;
	agent_notice(agent, &notice);
}

/*
 * The shim says on stderr why it ends the VMM. Where it could not make an event
 * of it (no VM yet, or the ring was full), this does.
 */
static void tell_refused(struct agent *agent)
{
	uint32_t refused = atomic_load(&agent->launch->shared->refused);
	struct notice notice = { .event = "refused" };

	if (!refused || refused > REGPIN_REFUSED_MAX || agent->refused)
		return;
	agent->refused = true;
	notice.reason = event_refusal_name(refused - 1);
	notice.text = regpin_refusal_text(refused - 1);
	agent_notice(agent, &notice);
}

void tell_unarmed(struct agent *agent)
{
	uint32_t ms = agent->launch->policy.settings.unarmed_ms;
	struct notice notice = { .event = "unarmed" };
	char text[128];

	if (!ms || !agent->attached || agent->armed || agent->unarmed ||
	    clock_now() - agent->attached_at < ms)
		return;
	agent->unarmed = true;
	snprintf(text, sizeof(text), "no vCPU has armed within %u.%03u s: the policy's pins do not hold yet",
		 ms / 1000, ms % 1000);
	notice.text = text;
	agent_notice(agent, &notice);
	agent_say(agent, "warning: %s (is the guest still in its firmware, or does its kernel not write LSTAR?)",
		  text);
}

int tell_sleep(const struct agent *agent)
{
	uint32_t ms = agent->launch->policy.settings.unarmed_ms;
	uint64_t now = clock_now(), due = UINT64_MAX;

	if (ms && agent->attached && !agent->armed && !agent->unarmed)
		due = agent->attached_at + ms;
	if (out_room(agent->events) && limit_due(&agent->limit) < due)
		due = limit_due(&agent->limit);
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

void tell_mode(struct agent *agent)
{
	const struct launch *launch = agent->launch;
	struct policy_tally tally = policy_tally(&launch->policy);
	enum policy_mode effective = policy_effective(&launch->policy,
						      launch->written.own,
						      launch->mode);
	char text[128];
	struct notice notice = {
		.event = "mode", .to = policy_mode_names[effective],
		.text = text,
		.counts = {
			{ "rules_enforced", tally.enforced },
			{ "rules_detected", tally.detected },
			{ "rules_report", tally.report },
		},
	};

	if (launch->mode == MODE_POLICY && effective == MODE_ENFORCE)
		return;
	policy_mode_text(text, sizeof(text), &launch->policy,
			 launch->written.own, launch->mode);
	agent_notice(agent, &notice);
}

void tell_degraded(struct agent *agent)
{
	const struct launch *launch = agent->launch;

	for (unsigned int i = 0; i < launch->nr_degraded; i++) {
		const struct rule *rule = &launch->degraded[i];
		enum fitted fitted = rule->flags & RULE_DETECT ?
			FIT_DETECTED : FIT_LEFT_OUT;
		char how[FIT_TEXT], text[FIT_TEXT + 512];
		struct notice notice = {
			.event = "degraded", .policy = &launch->policy,
			.rule = rule, .text = text,
			.action = regpin_action_names[rule->action],
		};

		snprintf(text, sizeof(text), "the rule %s: %s",
			 fit_text(how, &launch->policy, fitted, rule),
			 launch->degraded_why[i]);
		if (fitted == FIT_DETECTED) {
			notice.reaction = fit_reaction(&launch->policy, rule);
			notice.counts[0].name = "every_ms";
			notice.counts[0].n = launch->policy.settings.detect_ms;
		}
		agent_notice(agent, &notice);
	}
	if (launch->init_why) {
		struct notice notice = {
			.event = "degraded", .reason = "init",
			.text = launch->init_why,
		};

		agent_notice(agent, &notice);
	}
}

void tell_flush(struct agent *agent)
{
	int err = out_flush(agent->events);

	if (err && !agent->failing && agent->events != agent->messages) {
		agent->failing = true;
		agent_say(agent, "events can't be written to %s: %s; those that are lost are counted",
			  agent->launch->events_name, strerror(-err));
	}
	out_flush(agent->messages);
}

static void say_lost(struct agent *agent)
{
	uint64_t lost;

	if (agent->events == agent->messages)
		return;
	out_give_up(agent->events);
	lost = agent->events->lost;
	if (lost)
		agent_say(agent, "%llu line%s of events %s lost: %s had no reader, or could not be written",
			  (unsigned long long)lost, lost == 1 ? "" : "s",
			  lost == 1 ? "is" : "are", agent->launch->events_name);
}

/* The VMM has ended: what is left goes out, if somebody takes it in time. */
void tell_farewell(struct agent *agent)
{
	struct notice notice = {
		.event = "detached",
		.counts = {
			{ "violations", 0 }, { "reports", 0 }, { "dropped", 0 },
			{ "detected", 0 },
		},
	};
	uint64_t end = clock_now() + FAREWELL_MS, dropped;
	bool more = true, said = !agent->attached;
	struct regpin_event event;
	struct pollfd pfd;
	/* A ring's worth is all that an honest VMM leaves behind. */
	unsigned int batches = 2 * RING_SLOTS / BATCH;

	do {
		more = more && batches && tell_events(agent);
		batches -= more && out_room(agent->events);
		tell_repeated(agent, !more);
		tell_dropped(agent, true);
		if (!more)
			tell_refused(agent);
		if (!more && !said && !limit_left(&agent->limit) &&
		    out_room(agent->events)) {
			notice.counts[0].n = agent->violations;
			notice.counts[1].n = agent->reports;
			notice.counts[2].n = agent->dropped;
			notice.counts[3].n = agent->detected;
			agent_notice(agent, &notice);
			said = true;
		}
		tell_flush(agent);
		if (!more && said && !agent->events->len)
			break;
		if (out_poll(agent->events, &pfd) > 0 || pfd.fd >= 0)
			poll(&pfd, 1, 50);
	} while (clock_now() < end);
	agent->events->lost += !said;
	agent->events->lost += limit_left(&agent->limit);
	dropped = ring_dropped(&agent->launch->shared->ring);
	agent->events->lost += dropped > agent->dropped ?
				       dropped - agent->dropped : 0;
	for (unsigned int n = 0; more && n < RING_SLOTS; n++) {
		more = ring_get(&agent->launch->shared->ring, &event);
		agent->events->lost += more;
	}
	say_lost(agent);
}

void tell_end(struct agent *agent)
{
	char name[256];

	if (agent->nonsense)
		agent_say(agent, "warning: the VMM's process wrote %llu events that regpin never writes: the process may have been taken over",
			  (unsigned long long)agent->nonsense);
	if (agent->attached || agent->killed || agent->refused)
		return;
	snprintf(name, sizeof(name), "%s", agent->launch->argv[0]);
	make_printable(name);
	agent_say(agent, "warning: %s ended without having created a KVM VM: nothing was protected",
		  name);
}
