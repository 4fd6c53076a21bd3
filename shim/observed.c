// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is there an agent? The pins need none, but without one nothing that the guest does is
 * reported, so its death is: by a word that the kernel marks when the agent's thread ends.
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>

#include "handoff.h"
#include "observed.h"
#include "session.h"

#define AGENT_MS	2000	/* an agent that takes over is there sooner */

/* Of the control thread: @agent as last seen; @gone_since: when it was found dead, or 0. */
static struct {
	uint32_t agent;
	uint64_t gone_since;
} observed;

void observed_check(const struct control *orders, uint64_t now)
{
	uint32_t is = atomic_load(&orders->agent);
	char text[256];

	if (is != observed.agent) {
		bool was_known = observed.agent;

		observed.agent = is;
		observed.gone_since = is & FUTEX_OWNER_DIED ? now : 0;
		if (!was_known || !is || observed.gone_since)
			return;
		snprintf(text, sizeof(text), "warning: the agent has died (was it killed?), and process %u has taken over: the pins were in force all the time",
			 is & FUTEX_TID_MASK);
		session_print(text);
	} else if (observed.gone_since &&
		   now - observed.gone_since >= AGENT_MS) {
		observed.gone_since = 0;
		session_print("WARNING: the agent has died (was it killed?), and no other one has taken over: the VM runs on with its pins, but it is NOT OBSERVED: no event is written, and no command is taken; held vCPUs stay held. Start the VMM again under `regpin run` to change that");
	}
}
