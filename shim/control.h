/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The operator's commands. */
#ifndef REGPIN_SHIM_CONTROL_H
#define REGPIN_SHIM_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

struct control;
struct handoff;

/*
 * A VM that the operator may speak of. Under control_lock(), and so is the attaching of
 * it: else it could come with a policy that is just being replaced. False if there are
 * STATUS_VMS already: no policy, hold or window of the operator's would reach it.
 */
bool control_add_vm(const struct control *orders, struct handoff *handoff,
		    struct regpin_vm *vm, uint32_t number);

/* While vCPUs are taken away, or a VM comes. */
void control_lock(void);
void control_unlock(void);

#endif
