/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of events, registers and causes, and the form of times, in lines of events. */
#ifndef REGPIN_TOOL_EVENT_NAMES_H
#define REGPIN_TOOL_EVENT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

extern const char *const event_type_names[REGPIN_EVENT_TYPE_MAX];

/* Room for event_register_name() and event_time(), with their NUL. */
#define REGISTER_NAME_MAX	REGISTER_TITLE_MAX
#define EVENT_TIME_MAX		40

/* The name of a register: "EFER", "MTRRphysBase3" or "MSR 0x1234". Returns @buf. */
const char *event_register_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
				uint32_t index);

/* The same for @count registers from @index on: "EFER", "MSRs 0x0-0x2fff". */
const char *event_range_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
			     uint32_t index, uint32_t count);

#define MEMBERS_NAMED		8u
#define MEMBERS_TEXT_MAX	((size_t)MEMBERS_NAMED * (REGISTER_NAME_MAX + 2))

/*
 * The same for people: "FS_BASE, GS_BASE" if there are at most MEMBERS_NAMED registers and
 * each has a name.
 */
const char *event_members_text(char buf[MEMBERS_TEXT_MAX], unsigned int kind,
			       uint32_t index, uint32_t count);

/* event_range_name() of the registers of a rule. */
const char *event_rule_subject(char buf[REGISTER_NAME_MAX],
			       const struct rule *rule);

/* The cause for which a vCPU was armed or disarmed, as one word; NULL for other events. */
const char *event_cause_name(const struct regpin_event *event);

/* One word for a reason of enum regpin_refusal. The caller has checked its range. */
const char *event_refusal_name(unsigned int reason);

/* "2026-11-21T22:43:23.123456789Z". Returns @buf. */
const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns);

#endif
