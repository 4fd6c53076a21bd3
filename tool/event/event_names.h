/* SPDX-License-Identifier: GPL-2.0-only */
/* Names in lines of events: of events, registers, causes and times. */
#ifndef REGPIN_TOOL_EVENT_NAMES_H
#define REGPIN_TOOL_EVENT_NAMES_H

#include <stdint.h>

#include "regpin/regpin.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

extern const char *const event_type_names[REGPIN_EVENT_TYPE_MAX];

/* Room for event_register_name() and event_time(), with their NUL. */
#define REGISTER_NAME_MAX	REGISTER_TITLE_MAX
#define EVENT_TIME_MAX		40

/*
 * "EFER", "MTRRphysBase3" or "MSR 0x1234". Returns @buf.
 */
const char *event_register_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
				uint32_t index);

/* The same for what a rule speaks of: "EFER", "MSRs 0x0-0x2fff". */
const char *event_rule_subject(char buf[REGISTER_NAME_MAX],
			       const struct rule *rule);

/* Why a vCPU armed or disarmed, in one word; NULL for other events. */
const char *event_cause_name(const struct regpin_event *event);

/* One word for an enum regpin_refusal, which must be in range. */
const char *event_refusal_name(unsigned int reason);

/* "2026-11-21T22:43:23.123456789Z". Returns @buf. */
const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns);

#endif
