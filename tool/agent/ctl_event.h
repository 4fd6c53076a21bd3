/* SPDX-License-Identifier: GPL-2.0-only */
/* The `control` events. */
#ifndef REGPIN_TOOL_CTL_EVENT_H
#define REGPIN_TOOL_CTL_EVENT_H

#include <stdint.h>

#include "ctl_state.h"

/* Reports a command's result. @code and @text describe the failure; NULL: it succeeded. */
void ctl_report_command(struct ctl *ctl, const struct vmm_command *command, const char *code,
			const char *text, uint64_t now);

/*
 * Reports a request of @operator that the agent has carried out itself: with @text if it
 * failed. For `reopen` the event is written to the file that events go to afterwards.
 */
void ctl_report_done(struct ctl *ctl, enum ctl_verb verb, const struct ctl_conn *operator,
		     const char *text);

/* Reports @count refused peers; @uid and @pid are those of the last one. */
void ctl_report_denied(struct ctl *ctl, uint32_t uid, uint32_t pid,
		       uint64_t count);

#endif
