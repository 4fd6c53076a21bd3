// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of the VMM's writes. vcpu.c gives the events and carries out the actions. */
#include <stddef.h>

#include "vmm_write.h"

#define S(state)	(1u << (state))
#define ANY		(S(NR_VMM_WRITES) - 1)
#define PLAIN		(S(VMM_NONE) | S(VMM_WROTE))
#define LOADING		(S(VMM_LOADS) | S(VMM_LOADS_OFF))

const struct vmm_row vmm_rows[] = {
	/* A vCPU without a past has no pins to lose. */
	{ VMM_WRITTEN, S(VMM_NONE), 0, IF_PAST, VMM_WROTE, VMM_LOAD,
	  "A new vCPU has no pins to lose; the write may be part of a state for it." },
	{ VMM_WRITTEN, ANY, 0, IF_PAST, VMM_SAME, VMM_LOAD,
	  "The same for a further write." },
	{ VMM_WRITTEN, ANY, IF_RESET, 0, VMM_WROTE, VMM_NOTHING,
	  "A reset ends whatever was in progress; lifecycle_handle_reset() reports the pins that it ended." },

	/* A load that began before the vCPU was pinned, and because of which it is pinned. */
	{ VMM_WRITTEN, LOADING, IF_PINNED | IF_IS_ON, 0, VMM_LOADS, VMM_LOAD,
	  "A further part of the state; only the last one shows what it is." },
	{ VMM_WRITTEN, LOADING, IF_PINNED | IF_WAS_ON, IF_IS_ON, VMM_LOADS_OFF,
	  VMM_LOAD,
	  "A further part of the state; if paging stays off, the write was an INIT." },
	{ VMM_WRITTEN, LOADING, IF_PINNED, IF_IS_ON | IF_WAS_ON, VMM_SAME,
	  VMM_LOAD,
	  "A further part of the state, without paging as before." },

	/* Paging is off after the write. */
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_WAS_ON, IF_IS_ON, VMM_OFF,
	  VMM_NOTHING,
	  "This is the first half of a reset, or an INIT; lowered pins are not reported." },
	{ VMM_WRITTEN, LOADING, IF_WAS_ON, IF_IS_ON, VMM_LOADS_OFF, VMM_NOTHING,
	  "The same during a load that has not pinned the vCPU." },
	{ VMM_WRITTEN, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, IF_IS_ON, VMM_SAME,
	  VMM_NOTHING,
	  "The reset continues." },

	/* All other writes: paging is on, or it was already off before. */
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_PINNED, 0, VMM_WROTE, VMM_COMPARE,
	  "The VMM may change a pinned vCPU, but lowered pins are reported." },
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), IF_CHANGED, IF_PINNED, VMM_WROTE,
	  VMM_LOAD,
	  "A vCPU with a past, but without pins, gets another state." },
	{ VMM_WRITTEN, PLAIN | S(VMM_OFF), 0, IF_PINNED | IF_CHANGED, VMM_WROTE,
	  VMM_NOTHING,
	  "The VMM has written back what it read, so nothing has changed." },
	{ VMM_WRITTEN, LOADING, IF_CHANGED, IF_PINNED, VMM_LOADS, VMM_LOAD,
	  "A further part of a state that has not pinned the vCPU." },
	{ VMM_WRITTEN, LOADING, 0, IF_PINNED | IF_CHANGED, VMM_LOADS,
	  VMM_NOTHING,
	  "The VMM has written back what it read, so nothing has changed." },

	{ VMM_UNSEEN, S(VMM_NONE), 0, 0, VMM_WROTE, VMM_NOTHING,
	  "Its content is not known; a vCPU that is armed at the next look was loaded." },
	{ VMM_UNSEEN, ANY, 0, 0, VMM_SAME, VMM_NOTHING,
	  "The same for a further write." },

	{ VMM_LOADED, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, 0, VMM_LOADS_OFF,
	  VMM_NOTHING,
	  "The state has an LSTAR, but paging is off." },
	{ VMM_LOADED, ANY, 0, 0, VMM_LOADS, VMM_NOTHING,
	  "The state has an LSTAR, so a kernel runs in it." },

	{ VMM_RUNS, S(VMM_OFF) | S(VMM_LOADS_OFF), IF_PINNED, 0, VMM_NONE,
	  VMM_INIT,
	  "Paging went off and no write followed: the VMM's own APIC has done an INIT." },
	{ VMM_RUNS, ANY, 0, 0, VMM_NONE, VMM_NOTHING,
	  "From now on the values of the registers are the guest's." },
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

	/* Not reached: a unit test checks that every cell has a row. */
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
