/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands to the VMM's process, one at a time. */
#ifndef REGPIN_TOOL_VMM_COMMAND_H
#define REGPIN_TOOL_VMM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

/* Handles the answer of the VMM's process, if there is one, and sends the next command. */
void vmm_command_run(struct ctl *ctl, uint64_t now);

/*
 * Finds the VM that the request of @conn is about. Returns false if there is none; then the
 * error has been sent to the client.
 */
bool vmm_command_find_vm(struct ctl *ctl, struct ctl_conn *conn, uint32_t *vm,
			 uint64_t now);

#endif
