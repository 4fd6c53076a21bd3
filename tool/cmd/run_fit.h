/* SPDX-License-Identifier: GPL-2.0-only */
/* Within `run`: the policy on this host. */
#ifndef REGPIN_TOOL_RUN_FIT_H
#define REGPIN_TOOL_RUN_FIT_H

struct launch;

/*
 * Leaves out, or only polls for, the optional rules that this host can't enforce. Returns 0, or
 * an exit code after a message.
 */
int run_fit(struct launch *launch);

#endif
