/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the VMM has written to a vCPU since that ran last, as a table: a part of a state
 * that is being loaded, a part of a reset, or something that pins are compared with. A
 * VMM writes registers in several ioctls, so one write does not say which it is. Pure.
 */
#ifndef REGPIN_LIB_VMM_WRITE_H
#define REGPIN_LIB_VMM_WRITE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum vmm_write - what the VMM's writes have been so far
 * @VMM_NONE: there was none
 * @VMM_WROTE: there was one, of no further interest
 * @VMM_LOADS: they are those of a running system, which the vCPU was not pinned with before
 * @VMM_OFF: paging went off with them: the first half of a reset, or an INIT
 * @VMM_LOADS_OFF: paging went off in the middle of a load
 */
enum vmm_write {
	VMM_NONE, VMM_WROTE, VMM_LOADS, VMM_OFF, VMM_LOADS_OFF, NR_VMM_WRITES
};

/**
 * enum vmm_event - what happens
 * @VMM_WRITTEN: the VMM has written registers
 * @VMM_UNSEEN: likewise, whatever it is; it comes before VMM_WRITTEN, which only comes
 *	where a rule needs to know more
 * @VMM_LOADED: what it has written has an LSTAR
 * @VMM_RUNS: the vCPU is about to run
 */
enum vmm_event {
	VMM_WRITTEN, VMM_UNSEEN, VMM_LOADED, VMM_RUNS, NR_VMM_EVENTS
};

/**
 * struct vmm_moment - what else the table asks for
 * @past: the vCPU had something to lose, so its registers before are known
 * @reset: the write was a reset: lifecycle_handle_reset() says so
 * @was_on: paging was on before; @is_on: it is on after
 * @pinned: the vCPU is pinned
 * @changed: a register has changed
 *
 * VMM_WRITTEN asks for all, but for nothing else without @past; VMM_RUNS for @pinned.
 */
struct vmm_moment {
	bool past, reset, was_on, is_on, pinned, changed;
};

enum vmm_act {
	VMM_NOTHING,
	VMM_LOAD,	/* the state may have a kernel: lifecycle_note_load() */
	VMM_COMPARE,	/* lowered pins are reported */
	VMM_INIT,	/* it was an INIT */
};

struct vmm_step {
	uint8_t to, act;
	const char *why;
};

/* Total: there is a row for each state, event and moment. */
struct vmm_step vmm_next(enum vmm_write state, enum vmm_event event,
			 const struct vmm_moment *moment);

/* Is the state of a running system being loaded? */
static inline bool vmm_loads(unsigned int state)
{
	return state == VMM_LOADS || state == VMM_LOADS_OFF;
}

/* Bits of struct vmm_row's @when and @unless. */
enum {
	IF_PAST = 1, IF_RESET = 2, IF_WAS_ON = 4, IF_IS_ON = 8, IF_PINNED = 16,
	IF_CHANGED = 32,
};

/* For struct vmm_row's @to: as it was. */
#define VMM_SAME	0xff

/**
 * struct vmm_row - a row of the table; the first that fits counts
 * @event: enum vmm_event
 * @states: for these, 1 << enum vmm_write
 * @when: if all of these are so
 * @unless: and none of these
 * @to: the next state, or VMM_SAME
 * @act: enum vmm_act
 * @why: the reason
 */
struct vmm_row {
	uint8_t event, states, when, unless, to, act;
	const char *why;
};

extern const struct vmm_row vmm_rows[];
extern const unsigned int vmm_nr_rows;
unsigned int vmm_row_of(enum vmm_write state, enum vmm_event event,
			const struct vmm_moment *moment);

extern const char *const vmm_writes[NR_VMM_WRITES];
extern const char *const vmm_events[NR_VMM_EVENTS];

#endif
