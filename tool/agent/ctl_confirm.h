/* SPDX-License-Identifier: GPL-2.0-only */
/* The confirmation of a command that the VMM has carried out. */
#ifndef REGPIN_TOOL_CTL_CONFIRM_H
#define REGPIN_TOOL_CTL_CONFIRM_H

#include <stddef.h>

#include "ctl_state.h"

/* Writes the effect of @command, which is done, to @buf, or "" if there is nothing to add. */
void ctl_confirm(const struct ctl *ctl, const struct vmm_command *command, char *buf,
		 size_t size);

#endif
