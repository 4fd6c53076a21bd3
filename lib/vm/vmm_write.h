/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The VMM's writes to a vCPU since the vCPU last ran, as a table: part of a state
 * that is being loaded, part of a reset, or another write, which is compared with the
 * pins. A VMM writes registers in several ioctls, so a single write does not show which
 * it is. Pure.
 */
#ifndef REGPIN_LIB_VMM_WRITE_H
#define REGPIN_LIB_VMM_WRITE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum vmm_write - what the VMM's writes have been so far
 * @VMM_NONE: there was no write
 * @VMM_WROTE: there was a write, with nothing to remember
 * @VMM_LOADS: the state of a running system is being loaded into a vCPU without pins
 * @VMM_OFF: paging went off: the first half of a reset, or an INIT
 * @VMM_LOADS_OFF: paging went off in the middle of a load
 */
enum vmm_write {
	VMM_NONE, VMM_WROTE, VMM_LOADS, VMM_OFF, VMM_LOADS_OFF, NR_VMM_WRITES
};

/**
 * enum vmm_event - the events of the table
 * @VMM_WRITTEN: the VMM has written registers, and the registers were compared
 * @VMM_UNSEEN: the VMM has written registers. It comes before VMM_WRITTEN, which only
 *	comes if the policy needs filters
 * @VMM_LOADED: the registers have an LSTAR after the write
 * @VMM_RUNS: the vCPU is about to run
 */
enum vmm_event {
	VMM_WRITTEN, VMM_UNSEEN, VMM_LOADED, VMM_RUNS, NR_VMM_EVENTS
};

/**
 * struct vmm_moment - the conditions of the table, besides state and event
 * @past: the vCPU had pins or another state to lose, so its registers before the write
 *	are known
 * @reset: the write was a reset, as lifecycle_handle_reset() found
 * @was_on: paging was on before the write
 * @is_on: paging is on after the write
 * @pinned: the vCPU is pinned
 * @changed: a register has changed
 *
 * If @past is false, VMM_WRITTEN asks for no other condition; otherwise it asks for all.
 * VMM_RUNS asks for @pinned.
 */
struct vmm_moment {
	bool past, reset, was_on, is_on, pinned, changed;
};

/* The duties of the caller. */
enum vmm_act {
	VMM_NOTHING,
	VMM_LOAD,	/* the state may have a kernel: lifecycle_note_load() */
	VMM_COMPARE,	/* violated pins are reported */
	VMM_INIT,	/* it was an INIT */
};

/**
 * struct vmm_step - the step that the table gives
 * @to: the next state, enum vmm_write
 * @act: enum vmm_act
 * @why: the reason, one sentence
 */
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

/* For struct vmm_row's @to: unchanged. */
#define VMM_SAME	0xff

/**
 * struct vmm_row - a row of the table; the first row that applies counts
 * @event: enum vmm_event
 * @states: the states that the row is for, 1 << enum vmm_write
 * @when: the row applies if all of these conditions are true
 * @unless: and none of these
 * @to: the next state, or VMM_SAME
 * @act: enum vmm_act
 * @why: the reason, one sentence
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
