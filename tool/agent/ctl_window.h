/* SPDX-License-Identifier: GPL-2.0-only */
/* The windows of VMs, as far as the agent knows. */
#ifndef REGPIN_TOOL_CTL_WINDOW_H
#define REGPIN_TOOL_CTL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

/* Notes that @vm has a window until @until, in ms; 0: that it has none. */
void ctl_set_window(struct ctl *ctl, uint32_t vm, uint64_t until,
		    bool once);

/* The window of @vm, or NULL. */
const struct ctl_window *ctl_find_window(const struct ctl *ctl, uint32_t vm);

#endif
