// SPDX-License-Identifier: GPL-2.0-only
/* Names of events, registers and causes, and the form of times, in lines of events. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

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

const char *event_time(char buf[EVENT_TIME_MAX], uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;
	size_t len;

	/* gmtime_r() cannot fail: @ns reaches only to the year 2554. */
	gmtime_r(&seconds, &tm);
	len = strftime(buf, EVENT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, EVENT_TIME_MAX - len, ".%09uZ",
		 (unsigned int)(ns % 1000000000u));
	return buf;
}
