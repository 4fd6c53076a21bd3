/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a checked policy to a running VMM: `run` makes what is shared, forks the
 * agent, and becomes the VMM.
 */
#ifndef REGPIN_TOOL_LAUNCH_H
#define REGPIN_TOOL_LAUNCH_H

#include "launch_state.h"

/*
 * Where the caller closed 0, 1 or 2, nothing of ours must land. Returns 0 or an
 * exit code.
 */
int launch_fill_fds(void);

/*
 * Becomes the VMM. Returns, only if that failed, with an exit code; what was
 * wrong has been said on stderr.
 */
int launch(struct launch *launch);

#endif
