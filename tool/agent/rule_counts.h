/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of each rule. They belong to the text of the policy in force: a change of mode
 * keeps them, and a policy with another text begins with 0. Each event counts once, before
 * events are limited; those for which the ring had no room are not counted.
 */
#ifndef REGPIN_TOOL_RULE_COUNTS_H
#define REGPIN_TOOL_RULE_COUNTS_H

#include "agent_state.h"

/* Begins with the policy in force. Returns 0, or -1 if there is no memory. */
int rule_counts_begin(struct agent *agent);
void rule_counts_end(struct agent *agent);

/*
 * Counts @event, which is a violation that was found afterwards or has its final action. Its
 * rule and policy may be any numbers: those that are not known are ignored.
 */
void rule_counts_add(struct agent *agent, const struct regpin_event *event);

/* The policy of @proposal, which has its number, is about to be sent. */
void rule_counts_announce(struct agent *agent, const struct ctl_proposal *proposal);

/* The policy of @proposal is in force. */
void rule_counts_switch(struct agent *agent, const struct ctl_proposal *proposal);

/* The counters of row @row of the policy in force. */
const struct rule_count *rule_counts_of(const struct agent *agent, uint32_t row);

#endif
