/* SPDX-License-Identifier: GPL-2.0-only */
/* --require-vm: the exit status is a failure if the VMM created no VM. */
#ifndef REGPIN_TOOL_PARENT_H
#define REGPIN_TOOL_PARENT_H

#include <stdbool.h>

/*
 * Forks. Returns -1 in the child, which is to become the VMM; *@seen is a file there, to
 * which the agent writes a byte when a VM has its policy. The parent passes signals on to
 * the VMM, and returns the exit status of `run` when the VMM has ended. @quiet: stderr is for
 * events, and then only the agent reports a missing VM.
 */
int parent_fork(int *seen, bool quiet);

#endif
