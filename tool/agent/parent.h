/* SPDX-License-Identifier: GPL-2.0-only */
/* --require-vm: a VMM that made no VM must not pass for a success. */
#ifndef REGPIN_TOOL_PARENT_H
#define REGPIN_TOOL_PARENT_H

/*
 * Forks. In the child, which is to become the VMM, -1 is returned, and *@seen is a file:
 * the agent writes a byte to it when a VM has its policy. In the parent, which passes
 * signals on to the VMM, the exit status of `run` is returned when that is known.
 */
int parent_fork(int *seen);

#endif
