// SPDX-License-Identifier: LGPL-2.1-or-later
/* The rows for the VMM's writes; vcpu.c gives the events and carries the actions out. */
#include <stddef.h>

#include "vmm_write.h"

#define S(state)	(1u << (state))
#define ANY		(S(NR_VMM_WRITES) - 1)
#define PLAIN		(S(VMM_NONE) | S(VMM_WROTE))
#define LOADING		(S(VMM_LOADS) | S(VMM_LOADS_OFF))

const struct vmm_row vmm_rows[] = {
	/* A vCPU without a past. */
	{ VMM_WRITTEN, S(VMM_NONE), 0, IF_PAST, VMM_WROTE, VMM_LOAD,
	  "Nothing could be lost: it is a new vCPU, or a state for one." },
	{ VMM_WRITTEN, ANY, 0, IF_PAST, VMM_SAME, VMM_LOAD,
	  "The same, in one more part." },
	{ VMM_WRITTEN, ANY, IF_RESET, 0, VMM_WROTE, VMM_NOTHING,
	  "A reset ends what was going on, and reports what it took." },

	/* A load that was there before the vCPU was pinned, and because of which it is. */
	{ VMM_WRITTEN, LOADING, IF_PINNED | IF_IS_ON, 0, VMM_LOADS, VMM_LOAD,
	  "One more part of the state: what it is in the end counts." },
	{ VMM_WRITTEN, LOADING, IF_PINNED | IF_WAS_ON, IF_IS_ON, VMM_LOADS_OFF,
	  VMM_LOAD,
	  "The same; should it stay without paging, that was an INIT." },
	{ VMM_WRITTEN, LOADING, IF_PINNED, IF_IS_ON | IF_WAS_ON, VMM_SAME,
	  VMM_LOAD,
	  "The same." },

	/* Paging is off. */
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_WAS_ON, IF_IS_ON, VMM_OFF,
	  VMM_NOTHING,
	  "The first half of a reset, or an INIT: no pin is lowered by mistake." },
	{ VMM_WRITTEN, LOADING, IF_WAS_ON, IF_IS_ON, VMM_LOADS_OFF, VMM_NOTHING,
	  "The same, in a load that has not pinned the vCPU." },
	{ VMM_WRITTEN, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, IF_IS_ON, VMM_SAME,
	  VMM_NOTHING,
	  "The reset goes on." },

	/* All else: paging is on, or it was not on before. */
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_PINNED, 0, VMM_WROTE, VMM_COMPARE,
	  "The VMM changes a vCPU that is pinned: it may, but that is reported." },
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_CHANGED, IF_PINNED, VMM_WROTE,
	  VMM_LOAD,
	  "A vCPU that has a past and no pins becomes another." },
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), 0, IF_PINNED | IF_CHANGED, VMM_WROTE,
	  VMM_NOTHING,
	  "What was read is written back: nothing has happened." },
	{ VMM_WRITTEN, LOADING, IF_CHANGED, IF_PINNED, VMM_LOADS, VMM_LOAD,
	  "One more part of a state that has not pinned the vCPU." },
	{ VMM_WRITTEN, LOADING, 0, IF_PINNED | IF_CHANGED, VMM_LOADS,
	  VMM_NOTHING,
	  "What was read is written back: nothing has happened." },

	{ VMM_UNSEEN, S(VMM_NONE), 0, 0, VMM_WROTE, VMM_NOTHING,
	  "Whatever it was: what arms at the next look was loaded." },
	{ VMM_UNSEEN, ANY, 0, 0, VMM_SAME, VMM_NOTHING,
	  "The same, once more." },

	{ VMM_LOADED, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, 0, VMM_LOADS_OFF,
	  VMM_NOTHING,
	  "An LSTAR came with paging off." },
	{ VMM_LOADED, ANY, 0, 0, VMM_LOADS, VMM_NOTHING,
	  "An LSTAR says that a kernel runs in what is loaded." },

	{ VMM_RUNS, S(VMM_OFF) | S(VMM_LOADS_OFF), IF_PINNED, 0, VMM_NONE,
	  VMM_INIT,
	  "Paging went off and no more came: an INIT, by an APIC of the VMM's." },
	{ VMM_RUNS, ANY, 0, 0, VMM_NONE, VMM_NOTHING,
	  "From now on what the registers hold is the guest's." },
};

const unsigned int vmm_nr_rows = sizeof(vmm_rows) / sizeof(vmm_rows[0]);

unsigned int vmm_row_of(enum vmm_write state, enum vmm_event event,
			const struct vmm_moment *moment)
{
	unsigned int i, bits = (moment->past ? IF_PAST : 0u) |
			       (moment->reset ? IF_RESET : 0u) |
			       (moment->was_on ? IF_WAS_ON : 0u) |
			       (moment->is_on ? IF_IS_ON : 0u) |
			       (moment->pinned ? IF_PINNED : 0u) |
			       (moment->changed ? IF_CHANGED : 0u);

	for (i = 0; i < vmm_nr_rows; i++) {
		const struct vmm_row *row = &vmm_rows[i];

		if (row->event == event && row->states & S(state) &&
		    (row->when & bits) == row->when && !(row->unless & bits))
			break;
	}
	return i;
}

struct vmm_step vmm_next(enum vmm_write state, enum vmm_event event,
			 const struct vmm_moment *moment)
{
	unsigned int i = vmm_row_of(state, event, moment);
	const struct vmm_row *row = &vmm_rows[i];

	/* A unit test walks through all cells, so this is never so. */
	if (i == vmm_nr_rows)
		return (struct vmm_step){ .to = (uint8_t)state };
	return (struct vmm_step){
		.to = row->to == VMM_SAME ? (uint8_t)state : row->to,
		.act = row->act, .why = row->why,
	};
}

const char *const vmm_writes[NR_VMM_WRITES] = {
	[VMM_NONE] = "none", [VMM_WROTE] = "wrote", [VMM_LOADS] = "loads",
	[VMM_OFF] = "paging off", [VMM_LOADS_OFF] = "loads with paging off",
};

const char *const vmm_events[NR_VMM_EVENTS] = {
	[VMM_WRITTEN] = "write", [VMM_UNSEEN] = "write, whatever it is",
	[VMM_LOADED] = "LSTAR loaded", [VMM_RUNS] = "the vCPU runs",
};
