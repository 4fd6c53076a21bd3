// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Does an agent observe the VM? The pins hold without an agent, but no event is written.
 * Therefore the agent's death is reported: the kernel marks a robust futex when the
 * agent's thread ends.
 */
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>

#include "handoff.h"
#include "observed.h"
#include "session.h"

#define AGENT_MS	2000	/* a standby takes over sooner than this */

/*
 * @agent: struct control's @agent at the last check; @gone_since: when the agent was found
 * dead, in ms, or 0. The control thread owns both.
 */
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
		snprintf(text, sizeof(text), "warning: the agent has died (was it killed?), and process %u has taken over: the pins stayed in force",
			 is & FUTEX_TID_MASK);
		session_print(text);
	} else if (observed.gone_since &&
		   now - observed.gone_since >= AGENT_MS) {
		observed.gone_since = 0;
		session_print("WARNING: the agent has died (was it killed?), and no standby has taken over: the VM runs on with its pins, but it is NOT OBSERVED: no event is written, no command is carried out, and held vCPUs stay held. Restart the VMM under `regpin run`");
	}
}
