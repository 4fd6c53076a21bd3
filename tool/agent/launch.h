/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a checked policy to a running VMM: `run` makes what is shared, forks the
 * agent, and becomes the VMM.
 */
#ifndef REGPIN_TOOL_LAUNCH_H
#define REGPIN_TOOL_LAUNCH_H

#include "launch_state.h"

/* Does the policy wait for an operator, to arm a VM or to answer for a held vCPU? */
bool launch_needs_operator(const struct regpin_policy *policy);

/*
 * Where the caller closed 0, 1 or 2, nothing of ours must land. Returns 0 or an
 * exit code.
 */
int launch_fill_fds(void);

/*
 * Becomes the VMM. Returns, only if that failed, with an exit code; a
 * message is on stderr then.
 */
int launch(struct launch *launch);

#endif
