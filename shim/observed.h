/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is there an agent that observes the VM? */
#ifndef REGPIN_SHIM_OBSERVED_H
#define REGPIN_SHIM_OBSERVED_H

#include <stdint.h>

struct control;

/* Reports on stderr an agent's death, and that another one has taken over. */
void observed_check(const struct control *orders, uint64_t now_ms);

#endif
