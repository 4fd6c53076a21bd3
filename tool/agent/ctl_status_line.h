/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts that the lines of `status` have in common. */
#ifndef REGPIN_TOOL_CTL_STATUS_LINE_H
#define REGPIN_TOOL_CTL_STATUS_LINE_H

#include <stdint.h>

#include "base/json.h"

enum status_line {
	STATUS_LINE,	/* the line has been written */
	STATUS_SKIP,	/* there is no line of this number, but there may be later ones */
	STATUS_END,	/* there is no line of this number or a later one */
};

/* Begins an object with its version in @buf of EVENT_LINE_MAX bytes. */
void status_begin(char *buf, struct json *json);

/* Ends the object, without a line break. Without room for it there is no line. */
enum status_line status_end(struct json *json, char *buf);

/* The state of a VM or a vCPU with the flags STATUS_*: "armed", "not armed", .. */
const char *status_armed(uint32_t flags);

#endif
