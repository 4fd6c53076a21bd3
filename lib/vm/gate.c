// SPDX-License-Identifier: LGPL-2.1-or-later
/* The rows for the gate; lifecycle.c gives the events and carries the actions out. */
#include <stddef.h>

#include "gate.h"
#include "regpin/event.h"

#define S(gate)		(1u << (gate))
#define ANY		(S(NR_GATES) - 1)
#define CLOSES		(GATE_NEW_LIFE | GATE_LOOK)
#define OPENS		(GATE_FORGET | GATE_LOOK)

/* Whatever else is so, or only if the policy arms by request, or by anybody's word. */
enum { ALWAYS, BY_REQUEST, BY_REQUEST_AT_FIRST, BY_WORD };

static const struct row {
	uint8_t event, gates, when, to, act, cause;
	const char *why;
} rows[] = {
	{ GATE_ARM, S(GATE_OPEN), ALWAYS, GATE_OPEN, GATE_LOOK, GATE_NO_CAUSE,
	  "It is open: vCPUs that have a kernel arm, if they have not yet." },
	{ GATE_ARM, S(GATE_CLOSED), ALWAYS, GATE_OPEN, OPENS, REGPIN_BY_OPERATOR,
	  "What an earlier kernel has settled does not count for this one." },
	{ GATE_ARM, S(GATE_WINDOW), ALWAYS, GATE_OPEN, OPENS, REGPIN_BY_WINDOW,
	  "The window ends; another kernel may have come up in it." },
	{ GATE_REQUEST, S(GATE_CLOSED), BY_REQUEST, GATE_OPEN, OPENS,
	  REGPIN_BY_REQUEST,
	  "This is what the policy waits for." },
	{ GATE_REQUEST, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "It is open, or the operator's window is not the guest's to end." },
	{ GATE_LOADED, S(GATE_CLOSED), BY_REQUEST_AT_FIRST, GATE_OPEN, OPENS,
	  REGPIN_BY_LOAD,
	  "The guest has asked where the state comes from, and won't ask again." },
	{ GATE_LOADED, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The operator has closed it, or has yet to open it." },
	{ GATE_KERNEL_DONE, S(GATE_WINDOW), ALWAYS, GATE_OPEN, OPENS,
	  REGPIN_BY_WINDOW,
	  "The window was for this one kernel." },
	{ GATE_KERNEL_DONE, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The window has been ended, or the operator has disarmed meanwhile." },
	{ GATE_BEGIN_WINDOW, ANY, ALWAYS, GATE_WINDOW, CLOSES, REGPIN_BY_WINDOW,
	  "A kernel may replace the one that runs." },
	{ GATE_DISARM, ANY, ALWAYS, GATE_CLOSED, CLOSES, REGPIN_BY_OPERATOR,
	  "Whatever was pinned is free." },
	{ GATE_LAST_GONE, S(GATE_OPEN), BY_WORD, GATE_CLOSED, 0, GATE_NO_CAUSE,
	  "After a reset somebody has to say the word again." },
	{ GATE_LAST_GONE, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "vCPUs arm by themselves, or it is closed." },
};

static bool applies(unsigned int when, const struct gate_moment *moment)
{
	switch (when) {
	case BY_REQUEST:
		return moment->request;
	case BY_REQUEST_AT_FIRST:
		return moment->request && moment->first_life;
	case BY_WORD:
		return moment->request || moment->operator;
	default:
		return true;
	}
}

struct gate_step gate_next(enum gate gate, enum gate_event event,
			   const struct gate_moment *moment)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->event == event && row->gates & S(gate) &&
		    applies(row->when, moment))
			return (struct gate_step){
				.to = row->to == NR_GATES ? (uint8_t)gate :
							    row->to,
				.act = row->act, .cause = row->cause,
				.why = row->why,
			};
	}
	/* A unit test walks through all cells, so this is never so. */
	return (struct gate_step){ .to = (uint8_t)gate,
				   .cause = GATE_NO_CAUSE };
}
