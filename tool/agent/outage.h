/* SPDX-License-Identifier: GPL-2.0-only */
/* Times in which events can't be written, and lines that were lost. */
#ifndef REGPIN_TOOL_OUTAGE_H
#define REGPIN_TOOL_OUTAGE_H

#include "agent_state.h"
#include "base/json.h"

/*
 * To be called after each attempt to write, which had the result @err. Reports the beginning of
 * an outage on stderr, and its end by an event, with the number of lost lines.
 */
void outage_run(struct agent *agent, int err, uint64_t now);

/* Adds "sink_works" and "lines_lost". */
void outage_put_status(struct json *json, const struct agent *agent);

/* The same as text that begins with "; ", or "". Returns @text. */
const char *outage_status_text(char *text, size_t size, const struct agent *agent);

#endif
