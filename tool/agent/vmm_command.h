/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands to the VMM's process, one at a time. */
#ifndef REGPIN_TOOL_VMM_COMMAND_H
#define REGPIN_TOOL_VMM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

/* Sees whether the VMM has answered, and gives the next command. */
void vmm_command_run(struct ctl *ctl, uint64_t now);

/* The VM that a request means, in @vm. Returns false if @conn was told why not. */
bool vmm_command_find_vm(struct ctl *ctl, struct ctl_conn *conn, uint32_t *vm,
			 uint64_t now);

#endif
