/* SPDX-License-Identifier: GPL-2.0-only */
/* Events about the hook, and its part of `status`. */
#ifndef REGPIN_TOOL_HOOK_REPORT_H
#define REGPIN_TOOL_HOOK_REPORT_H

#include "agent_state.h"
#include "base/json.h"

/* Some lines had no room in the input of the next run. To be called before it starts. */
void hook_report_more(struct agent *agent);

/*
 * A run has ended, or could not begin. @number is the status or the signal. A failure is an
 * event, at most one each HOOK_REPORT_MS.
 */
void hook_report_end(struct agent *agent, enum hook_result result, unsigned int number,
		     uint64_t now);

/*
 * No run will follow: reports failures that no event has reported, and that @lines lines were
 * given to no run.
 */
void hook_report_rest(struct agent *agent, uint64_t lines);

/* Adds the member "hook", if there is a hook. */
void hook_put_status(struct json *json, const struct agent *agent);

/* The same as text that begins with "; ", or "". Returns @text. */
const char *hook_status_text(char *text, size_t size, const struct agent *agent);

#endif
