// SPDX-License-Identifier: GPL-2.0-only
/* Names of events, registers and causes, and the form of times, in lines of events. */
#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "event_names.h"

const char *const event_type_names[REGPIN_EVENT_TYPE_MAX] = {
	[REGPIN_EVENT_VIOLATION] = "violation",
	[REGPIN_EVENT_VMM_WRITE] = "vmm-write",
	[REGPIN_EVENT_ARMED] = "armed",
	[REGPIN_EVENT_RESET] = "reset",
	[REGPIN_EVENT_ATTACHED] = "attached",
	[REGPIN_EVENT_REFUSED] = "refused",
	[REGPIN_EVENT_FAILED] = "failed",
	[REGPIN_EVENT_DISARMED] = "disarmed",
	[REGPIN_EVENT_DETECTED] = "detected",
	[REGPIN_EVENT_INIT] = "init",
	[REGPIN_EVENT_DEADLINE] = "deadline",
	[REGPIN_EVENT_ANSWERED] = "answered",
	[REGPIN_EVENT_POLICY] = "policy",
	[REGPIN_EVENT_SHUTDOWN] = "shutdown",
	[REGPIN_EVENT_SETTLED] = "settled",
	[REGPIN_EVENT_UNREACHED] = "unreached",
	[REGPIN_EVENT_TOLERATED] = "tolerated",
};

static const char *const refusal_names[REGPIN_REFUSED_MAX] = {
	[REGPIN_REFUSED_SVM] = "svm",
	[REGPIN_REFUSED_VMX] = "vmx",
	[REGPIN_REFUSED_SMM] = "smm",
	[REGPIN_REFUSED_FRED] = "fred",
	[REGPIN_REFUSED_FILTER] = "filter",
	[REGPIN_REFUSED_HOST] = "host",
	[REGPIN_REFUSED_FD] = "fd",
	[REGPIN_REFUSED_CPUID] = "cpuid",
	[REGPIN_REFUSED_CONFIDENTIAL] = "confidential",
	[REGPIN_REFUSED_VMLOAD] = "vmload",
};

static const char *const cause_names[REGPIN_CAUSE_MAX] = {
	[REGPIN_BY_START] = "start",
	[REGPIN_BY_SYSCALL_ENTRY] = "syscall-entry",
	[REGPIN_BY_REQUEST] = "request",
	[REGPIN_BY_OPERATOR] = "operator",
	[REGPIN_BY_LOAD] = "load",
	[REGPIN_BY_WINDOW] = "window",
	[REGPIN_BY_INIT] = "init",
};

const char *event_register_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
				uint32_t index)
{
	const struct regpin_register *reg = register_find(kind, index);

	if (reg)
		register_title(buf, reg, index);
	else if (kind == REGPIN_MSR || kind >= REGPIN_KIND_MAX)
		snprintf(buf, REGISTER_NAME_MAX, "MSR 0x%" PRIx32, index);
	else
		snprintf(buf, REGISTER_NAME_MAX, "%s", regpin_kind_names[kind]);
	return buf;
}

const char *event_range_name(char buf[REGISTER_NAME_MAX], unsigned int kind,
			     uint32_t index, uint32_t count)
{
	if (count == 1)
		return event_register_name(buf, kind, index);
	snprintf(buf, REGISTER_NAME_MAX, "MSRs 0x%" PRIx32 "-0x%" PRIx32,
		 index, index + count - 1);
	return buf;
}

const char *event_rule_subject(char buf[REGISTER_NAME_MAX],
			       const struct rule *rule)
{
	return event_range_name(buf, rule->kind, rule->index, rule->count);
}

const char *event_members_text(char buf[MEMBERS_TEXT_MAX], unsigned int kind,
			       uint32_t index, uint32_t count)
{
	char name[REGISTER_NAME_MAX];
	size_t used = 0;

	for (uint32_t i = 0; i < count; i++)
		if (count > MEMBERS_NAMED || !register_find(kind, index + i)) {
			event_range_name(name, kind, index, count);
			snprintf(buf, MEMBERS_TEXT_MAX, "%s", name);
			return buf;
		}
	for (uint32_t i = 0; i < count; i++)
		used += (size_t)snprintf(buf + used, MEMBERS_TEXT_MAX - used, "%s%s",
					 i ? ", " : "",
					 event_register_name(name, kind, index + i));
	return buf;
}

const char *event_cause_name(const struct regpin_event *event)
{
	if (event->type != REGPIN_EVENT_ARMED &&
	    event->type != REGPIN_EVENT_DISARMED)
		return NULL;
	return event->detail < REGPIN_CAUSE_MAX ? cause_names[event->detail] :
						  NULL;
}

const char *event_refusal_name(unsigned int reason)
{
	return refusal_names[reason];
}

struct date {
	unsigned int year, month, day;
};

/* The date @days after 1970-01-01. A year begins in March here, so a leap day ends it. */
static struct date date_of(uint64_t days)
{
	unsigned int day = (unsigned int)(days + 719468);	/* since 0000-03-01 */
	unsigned int era = day / 146097, of_era = day % 146097;	/* 400 years */
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 -
			     of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int month = (5 * of_year + 2) / 153;	/* 0 is March */

	return (struct date){
		.year = era * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
	};
}

static char *put_part(char *to, char before, unsigned int part)
{
	*to = before;
	return put_digits(to + 1, part, 2);
}

const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns)
{
	unsigned int seconds = (unsigned int)(ns / 1000000000u % 86400);
	struct date date = date_of(ns / 1000000000u / 86400);
	char *end = put_digits(buf, date.year, 4);

	end = put_part(end, '-', date.month);
	end = put_part(end, '-', date.day);
	end = put_part(end, 'T', seconds / 3600);
	end = put_part(end, ':', seconds / 60 % 60);
	end = put_part(end, ':', seconds % 60);
	*end++ = '.';
	end = put_digits(end, ns % 1000000000u, 9);
	*end++ = 'Z';
	*end = 0;
	return buf;
}
