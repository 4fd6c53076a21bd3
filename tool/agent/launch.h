/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a checked policy to a running VMM: `run` makes the shared memory and the sockets,
 * forks the agent, and becomes the VMM.
 */
#ifndef REGPIN_TOOL_LAUNCH_H
#define REGPIN_TOOL_LAUNCH_H

#include "launch_state.h"

/*
 * Opens /dev/null as 0, 1 and 2 where the caller closed these, so that no file of regpin
 * becomes the VMM's stdin, stdout or stderr. Returns 0 or an exit code.
 */
int launch_fill_fds(void);

/*
 * Becomes the VMM. Returns only if that failed, with an exit code; then a message has been
 * printed on stderr.
 */
int launch(struct launch *launch);

#endif
