// SPDX-License-Identifier: GPL-2.0-only
#include "ctl_status_line.h"
#include "event/event_parts.h"
#include "handoff.h"

void status_begin(char *buf, struct json *json)
{
	json_buf_begin(json, buf, EVENT_LINE_MAX);
	json_u64(json, "version", JSON_VERSION);
}

enum status_line status_end(struct json *json, char *buf)
{
	size_t len = json_buf_end(json);

	if (!len)
		return STATUS_SKIP;
	buf[len - 1] = 0;
	return STATUS_LINE;
}

const char *status_armed(uint32_t flags)
{
	return !(flags & STATUS_ARMED) ? "not armed" :
	       flags & STATUS_SETUP ? "armed, in set-up" : "armed";
}
