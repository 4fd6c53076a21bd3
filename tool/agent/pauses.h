/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs that are held until the operator answers. If a violation held one, only the answer
 * decides whether it is stopped or let pass. Pure.
 */
#ifndef REGPIN_TOOL_PAUSES_H
#define REGPIN_TOOL_PAUSES_H

#include <stdbool.h>

#include "regpin/regpin.h"

#define PAUSES_MAX	1024u
#define PAUSE_RULES	8u

/**
 * struct pause - a vCPU that is held and has no answer yet
 * @vm, @vcpu: its numbers
 * @hold: number of the line of the event that held it; 0: that event has no line
 * @first, @last: the times of the first and the last event of this hold
 * @policy: number of the policy of @rules
 * @rules: the rules that the access violates
 * @nr_rules: number of @rules; more than PAUSE_RULES are not kept
 * @rip, @value, @kind, @index: the access: an access makes one event for each rule
 * @type, @detail: those of the events; a poll makes one event for each rule as well
 * @violation: it was held by a violation
 * @timed: the agent gives the answer, as the time of --answer-after is over
 */
struct pause {
	__u32 vm, vcpu;
	__u64 hold;
	__u64 first, last;
	__u32 policy, nr_rules;
	__u32 rules[PAUSE_RULES];
	__u64 rip, value;
	__u32 kind, index;
	__u32 type, detail;
	bool violation, timed;
};

/**
 * struct pauses - vCPUs that are held and have no answer yet
 * @nr: number of vCPUs
 * @list: the vCPUs, the oldest first
 */
struct pauses {
	unsigned int nr;
	struct pause list[PAUSES_MAX];
};

/* Adds the vCPU of @event, which holds it. */
void pauses_add(struct pauses *pauses, const struct regpin_event *event);

/*
 * The number by which the hold of @event's vCPU is known: that of the line of the event that
 * held it. If that event has no line yet, the number becomes @line: the number of the line
 * that @event gets if @event holds the vCPU, and otherwise 0. Returns 0 if there is none.
 */
__u64 pauses_hold(struct pauses *pauses, const struct regpin_event *event, __u64 line);

/*
 * The same for the vCPU that shows @held as the event that held it. Returns 0 as well if the
 * events of that hold have not been read yet.
 */
__u64 pauses_hold_of(const struct pauses *pauses, const struct regpin_event *held);
/* The violation that holds the vCPU of @event and has no answer yet, or NULL. */
const struct pause *pauses_violation(struct pauses *pauses,
				     const struct regpin_event *event);

/* The agent gives the answer for the vCPU of @event, or, without @timed, no longer does. */
void pauses_set_timed(struct pauses *pauses, const struct regpin_event *event, bool timed);

/* Has the agent given the answer that @event reports? */
bool pauses_is_timed(struct pauses *pauses, const struct regpin_event *event);

/* Removes the vCPU of @event, an answer or a reset. Returns true if a violation held it. */
bool pauses_take(struct pauses *pauses, const struct regpin_event *event);

#endif
