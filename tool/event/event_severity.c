// SPDX-License-Identifier: GPL-2.0-only
/* How much an event matters. The table for people: regpin-events(7), SEVERITY. */
#include <string.h>

#include "lib/policy/action.h"

#include "event_severity.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_NOTICE,
	SEVERITY_WARNING,
	SEVERITY_ALERT,
	SEVERITY_BY_ACTION,	/* allow: info; report: warning; otherwise alert */
	SEVERITY_BY_REASON,	/* unreached: notice when it is over, otherwise warning */
};

static const char *const names[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_NOTICE] = "notice",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ALERT] = "alert",
};

static const unsigned char of_types[REGPIN_EVENT_TYPE_MAX] = {
	[REGPIN_EVENT_VIOLATION] = SEVERITY_BY_ACTION,
	[REGPIN_EVENT_VMM_WRITE] = SEVERITY_WARNING,
	[REGPIN_EVENT_ARMED] = SEVERITY_INFO,
	[REGPIN_EVENT_RESET] = SEVERITY_NOTICE,
	[REGPIN_EVENT_ATTACHED] = SEVERITY_INFO,
	[REGPIN_EVENT_REFUSED] = SEVERITY_ALERT,
	[REGPIN_EVENT_FAILED] = SEVERITY_ALERT,
	[REGPIN_EVENT_DISARMED] = SEVERITY_NOTICE,
	[REGPIN_EVENT_DETECTED] = SEVERITY_BY_ACTION,
	[REGPIN_EVENT_INIT] = SEVERITY_BY_ACTION,
	[REGPIN_EVENT_DEADLINE] = SEVERITY_BY_ACTION,
	[REGPIN_EVENT_ANSWERED] = SEVERITY_NOTICE,
	[REGPIN_EVENT_POLICY] = SEVERITY_NOTICE,
	[REGPIN_EVENT_SHUTDOWN] = SEVERITY_WARNING,
	[REGPIN_EVENT_SETTLED] = SEVERITY_INFO,
	[REGPIN_EVENT_UNREACHED] = SEVERITY_BY_REASON,
	[REGPIN_EVENT_TOLERATED] = SEVERITY_WARNING,
};

static const struct {
	const char *name;
	enum severity severity;
} of_agent_events[] = {
	{ "degraded", SEVERITY_WARNING },
	{ "denied", SEVERITY_WARNING },
	{ "detached", SEVERITY_INFO },
	{ "dropped", SEVERITY_WARNING },
	{ "hook", SEVERITY_WARNING },
	{ "left", SEVERITY_ALERT },
	{ "message", SEVERITY_NOTICE },
	{ "mode", SEVERITY_NOTICE },
	{ "moved", SEVERITY_NOTICE },
	{ "refused", SEVERITY_ALERT },
	{ "repeated", SEVERITY_WARNING },
	{ "sink", SEVERITY_WARNING },
	{ "takeover", SEVERITY_ALERT },
	{ "tolerated", SEVERITY_WARNING },
	{ "unarmed", SEVERITY_WARNING },
	{ "withheld", SEVERITY_ALERT },
};

const char *event_severity(const struct regpin_event *event)
{
	enum severity severity = of_types[event->type];

	if (severity == SEVERITY_BY_ACTION)
		severity = event->action == REGPIN_ALLOW  ? SEVERITY_INFO :
			   event->action == REGPIN_REPORT ? SEVERITY_WARNING :
							    SEVERITY_ALERT;
	else if (severity == SEVERITY_BY_REASON)
		severity = event->detail == REGPIN_REACHED ? SEVERITY_NOTICE :
							     SEVERITY_WARNING;
	return names[severity];
}

const char *agent_event_severity(const char *name)
{
	for (size_t i = 0; i < sizeof(of_agent_events) / sizeof(of_agent_events[0]); i++)
		if (strcmp(of_agent_events[i].name, name) == 0)
			return names[of_agent_events[i].severity];
	return names[SEVERITY_NOTICE];
}

const char *base_change_severity(bool loosens)
{
	return names[loosens ? SEVERITY_WARNING : SEVERITY_NOTICE];
}

const char *control_severity(const char *result)
{
	return names[result ? SEVERITY_WARNING : SEVERITY_NOTICE];
}
