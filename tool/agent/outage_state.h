/* SPDX-License-Identifier: GPL-2.0-only */
/* The outages of the sink, as the agent sees them. */
#ifndef REGPIN_TOOL_OUTAGE_STATE_H
#define REGPIN_TOOL_OUTAGE_STATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct outage - the sink's state
 * @down: nothing can be written
 * @pending: the end of an outage, or a loss, has not been reported yet
 * @ended: the last event has been written
 * @taken: out->taken when the last fault happened
 * @lost: lost lines that have been reported, or were known then
 * @at: when an event was last written about that, in ms; 0: never
 */
struct outage {
	bool down, pending, ended;
	uint64_t taken, lost, at;
};

#endif
