/* SPDX-License-Identifier: GPL-2.0-only */
/* Since when vCPUs have been held, for `run --answer-after`. */
#ifndef REGPIN_TOOL_TIMED_STATE_H
#define REGPIN_TOOL_TIMED_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "handoff.h"

/**
 * struct timed_hold - a held vCPU, by its slot in struct handoff
 * @event: the time of the event that held it, to recognise another hold
 * @since: when the agent noticed the hold, in ms; 0: the vCPU is not held
 * @again: when an answer that failed may be given again, in ms; 0: none has failed
 */
struct timed_hold {
	_Atomic uint64_t event, since, again;
};

/**
 * struct timed - answers that the agent gives
 * @holds: memory that the standby shares, so that no hold lasts longer if the agent dies;
 *	NULL: there is no --answer-after
 * @look_until: until when the agent checks often, in ms: a hold's event comes before the
 *	vCPU's status shows it
 */
struct timed {
	struct timed_hold *holds;
	uint64_t look_until;
};

#endif
