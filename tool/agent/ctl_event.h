/* SPDX-License-Identifier: GPL-2.0-only */
/* An event for each command. */
#ifndef REGPIN_TOOL_CTL_EVENT_H
#define REGPIN_TOOL_CTL_EVENT_H

#include <stdint.h>

#include "ctl_state.h"

/* The event of a command that was carried out, or not: then with @code and @text. */
void ctl_report_command(struct ctl *ctl, const struct vmm_command *command, const char *code,
			const char *text, uint64_t now);

/* The event of peers that were turned away, of which @uid and @pid was the last. */
void ctl_report_denied(struct ctl *ctl, uint32_t uid, uint32_t pid,
		       uint64_t count);

#endif
