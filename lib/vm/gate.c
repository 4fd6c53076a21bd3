// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of the gate. lifecycle.c gives the events and carries out the actions. */
#include <stddef.h>

#include "gate.h"
#include "regpin/event.h"

#define S(gate)		(1u << (gate))
#define ANY		(S(NR_GATES) - 1)
#define CLOSES		(GATE_NEW_LIFE | GATE_LOOK)
#define OPENS		(GATE_FORGET | GATE_LOOK)

/*
 * When a row applies: always; if the policy has `arming: request`; the same in the VM's
 * first life only; if it has `arming: request` or `arming: operator`.
 */
enum { ALWAYS, BY_REQUEST, BY_REQUEST_AT_FIRST, BY_COMMAND };

static const struct row {
	uint8_t event, gates, when, to, act, cause;
	const char *why;
} rows[] = {
	{ GATE_ARM, S(GATE_OPEN), ALWAYS, GATE_OPEN, GATE_LOOK, GATE_NO_CAUSE,
	  "The gate is open; vCPUs with a kernel that are not armed yet are armed now." },
	{ GATE_ARM, S(GATE_CLOSED), ALWAYS, GATE_OPEN, OPENS, REGPIN_BY_OPERATOR,
	  "The gate opens; values that an earlier kernel settled do not count for this one." },
	{ GATE_ARM, S(GATE_WINDOW), ALWAYS, GATE_OPEN, OPENS, REGPIN_BY_WINDOW,
	  "The window ends; another kernel may have started in it." },
	{ GATE_REQUEST, S(GATE_CLOSED), BY_REQUEST, GATE_OPEN, OPENS,
	  REGPIN_BY_REQUEST,
	  "The policy arms when the guest asks, which it has done now." },
	{ GATE_REQUEST, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The gate is open already, or a window is open, which only the operator may end." },
	{ GATE_LOADED, S(GATE_CLOSED), BY_REQUEST_AT_FIRST, GATE_OPEN, OPENS,
	  REGPIN_BY_LOAD,
	  "The guest asked on the host that the state comes from, and will not ask again." },
	{ GATE_LOADED, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The operator has closed the gate, or has not opened it yet." },
	{ GATE_KERNEL_DONE, S(GATE_WINDOW), ALWAYS, GATE_OPEN, OPENS,
	  REGPIN_BY_WINDOW,
	  "The window was for this one kernel." },
	{ GATE_KERNEL_DONE, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The window has ended already, or the operator has disarmed meanwhile." },
	{ GATE_BEGIN_WINDOW, ANY, ALWAYS, GATE_WINDOW, CLOSES, REGPIN_BY_WINDOW,
	  "In the window another kernel may replace the one that runs." },
	{ GATE_DISARM, ANY, ALWAYS, GATE_CLOSED, CLOSES, REGPIN_BY_OPERATOR,
	  "The operator has lifted all pins." },
	{ GATE_LAST_GONE, S(GATE_OPEN), BY_COMMAND, GATE_CLOSED, 0, GATE_NO_CAUSE,
	  "After a reset the guest has to ask, or the operator has to arm, again." },
	{ GATE_LAST_GONE, ANY, ALWAYS, NR_GATES, 0, GATE_NO_CAUSE,
	  "The policy arms vCPUs without a command, or the gate is closed already." },
};

static bool applies(unsigned int when, const struct gate_moment *moment)
{
	switch (when) {
	case BY_REQUEST:
		return moment->request;
	case BY_REQUEST_AT_FIRST:
		return moment->request && moment->first_life;
	case BY_COMMAND:
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
	/* Not reached: a unit test checks that every cell has a row. */
	return (struct gate_step){ .to = (uint8_t)gate,
				   .cause = GATE_NO_CAUSE };
}
