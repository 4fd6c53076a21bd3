/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command that is done has brought about. */
#ifndef REGPIN_TOOL_CTL_CONFIRM_H
#define REGPIN_TOOL_CTL_CONFIRM_H

#include <stddef.h>

#include "ctl_state.h"

/* What @command, which is done, has brought about; "" if nothing is to say. */
void ctl_confirm(const struct ctl *ctl, const struct vmm_command *command, char *buf,
		 size_t size);

#endif
