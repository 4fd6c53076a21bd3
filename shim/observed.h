/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does an agent observe the VM? */
#ifndef REGPIN_SHIM_OBSERVED_H
#define REGPIN_SHIM_OBSERVED_H

#include <stdint.h>

struct control;

/* Prints on stderr that the agent has died, and whether another one has taken over. */
void observed_check(const struct control *orders, uint64_t now_ms);

#endif
