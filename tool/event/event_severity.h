/* SPDX-License-Identifier: GPL-2.0-only */
/* How much an event matters: one table for all events. Pure. */
#ifndef REGPIN_TOOL_EVENT_SEVERITY_H
#define REGPIN_TOOL_EVENT_SEVERITY_H

#include <stdbool.h>

#include "regpin/regpin.h"

/*
 * "alert": a rule that does more than report was violated, or protection has failed;
 * "warning": something to look at; "notice": a change by an operator or a VMM; "info": the
 * normal life of a VM. @event must be valid, see event_json.h.
 */
const char *event_severity(const struct regpin_event *event);

/* The same for an event of the agent's own, by its name. */
const char *agent_event_severity(const char *name);

/* The same for a base that has changed: does that loosen the policy, or may it? */
const char *base_change_severity(bool loosens);

/* The same for a command: @result is its result in one word, NULL: it was done. */
const char *control_severity(const char *result);

#endif
