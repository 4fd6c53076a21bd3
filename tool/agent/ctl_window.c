// SPDX-License-Identifier: GPL-2.0-only
/* The windows of VMs, as far as the agent knows. */
#include <string.h>

#include "ctl_window.h"

void ctl_set_window(struct ctl *ctl, uint32_t vm, uint64_t until,
		    bool once)
{
	struct ctl_window *window = ctl->windows;

	/* If all are in use, the last one is overwritten: the list only serves `status`. */
	while (window < ctl->windows + STATUS_VMS - 1 && window->until &&
	       window->vm != vm)
		window++;
	if (vm == CONTROL_ALL_VMS) {
		memset(ctl->windows, 0, sizeof(ctl->windows));
		window = ctl->windows;
	}
	*window = (struct ctl_window){ .vm = vm, .until = until, .once = once };
}

const struct ctl_window *ctl_find_window(const struct ctl *ctl, uint32_t vm)
{
	const struct ctl_window *all = NULL;

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		const struct ctl_window *window = &ctl->windows[i];

		if (window->until && window->vm == vm)
			return window;
		if (window->until && window->vm == CONTROL_ALL_VMS)
			all = window;
	}
	return all;
}
