/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life cycle of a vCPU as a table. Pure: no system call, no lock, no clock, no state
 * except what is handed in. lifecycle.c gives the events and carries out the actions;
 * docs/internals/life-cycle.md is the table in prose.
 *
 * A phase has two parts. The first is the state of the pins: enum pinning. The second
 * is what the guest has written of its syscall set-up, and whether the registers may be
 * believed: enum progress. Once the set-up is finished, the second no longer matters:
 * there is a single phase READY.
 */
#ifndef REGPIN_LIB_PHASE_H
#define REGPIN_LIB_PHASE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * enum pinning - the state of a vCPU's pins
 * @UNPINNED: they do not hold
 * @KEPT: an INIT lifted them, but the VM still counts as armed because of this vCPU
 * @PINNED: they hold, and the syscall set-up is not finished
 * @READY: they hold, and the set-up is finished
 */
enum pinning { UNPINNED, KEPT, PINNED, READY };

/**
 * enum progress - what the guest has written of its syscall set-up
 * @NONE: nothing
 * @MASK: SFMASK
 * @ENTRY: LSTAR; or the VMM has loaded a state that has one
 * @BOTH: both
 * @STALE: nothing, and the LSTAR that the register holds is not believed: the vCPU has
 *	had an INIT, or another vCPU's kernel started while the gate was closed
 * @STALE_MASK: SFMASK, and LSTAR is not believed
 * @AGAIN: from here on the same six, where the other registers still hold what an
 *	earlier kernel has left in them
 */
enum progress {
	NONE, MASK, ENTRY, BOTH, STALE, STALE_MASK,
	AGAIN, AGAIN_MASK, AGAIN_ENTRY, AGAIN_BOTH, AGAIN_STALE,
	AGAIN_STALE_MASK,
	NR_PROGRESS
};

/* A phase is a number, so that one load and one comparison show whether it is pinned. */
#define PHASE(pinning, progress)	((pinning) * NR_PROGRESS + (progress))
#define PHASE_OFF			PHASE(UNPINNED, NONE)
#define PHASE_READY			PHASE(READY, NONE)
#define NR_PHASES			(PHASE_READY + 1)

static inline enum pinning phase_pinning(unsigned int phase)
{
	return (enum pinning)(phase / NR_PROGRESS);
}

static inline enum progress phase_progress(unsigned int phase)
{
	return (enum progress)(phase % NR_PROGRESS);
}

/* Were the pins set, and not lifted since? vcpu_is_pinned() returns whether they hold. */
static inline bool phase_pinned(unsigned int phase)
{
	return phase >= PHASE(PINNED, NONE);
}

/* Does the VM count as armed because of this vCPU? */
static inline bool phase_counts(unsigned int phase)
{
	return phase >= PHASE(KEPT, NONE);
}

/* Is the LSTAR that the register holds an earlier kernel's? */
static inline bool phase_stale(unsigned int phase)
{
	unsigned int progress = phase % (NR_PROGRESS / 2);

	return progress == STALE || progress == STALE_MASK;
}

/* May registers other than LSTAR and SFMASK still hold an earlier kernel's values? */
static inline bool phase_again(unsigned int phase)
{
	return phase_progress(phase) >= AGAIN;
}

/* Has the vCPU begun its set-up, so that a caller may wait for the end of the set-up? */
static inline bool phase_sets_up(unsigned int phase)
{
	return phase_pinning(phase) == PINNED && !phase_stale(phase);
}

/* At FOUND: does the step depend on whether the registers are the vCPU's own? */
static inline bool phase_asks_own_regs(unsigned int phase)
{
	return !phase_pinned(phase) && !phase_stale(phase);
}

/* At CHECKED: does the step depend on the value of SFMASK? */
static inline bool phase_asks_sfmask(unsigned int phase)
{
	unsigned int progress = phase_progress(phase);

	return phase_pinning(phase) == PINNED &&
	       (progress == NONE || progress == ENTRY || progress == AGAIN);
}

/**
 * enum happening - the events of a vCPU's life cycle
 * @LSTAR_SET: the guest has written an LSTAR
 * @LSTAR_CLEARED: the guest has written 0 to it
 * @SFMASK_SET: the guest has written SFMASK, whatever the value
 * @INIT_SEEN: the vCPU has had an INIT
 * @RESET_SEEN: the VMM has reset the vCPU
 * @STATE_LOADED: the VMM has loaded a state that has an LSTAR
 * @PINS_VOID: a window or a disarming has begun another life of the VM. It is given
 *	before any other event of that life
 * @VCPU_GONE: the vCPU is being detached
 * @LOOKED: the vCPU looks at itself before it enters
 * @FOUND: that look has read LSTAR; the gate is open and the set-up not finished
 * @CHECKED: that look has found an LSTAR, and the vCPU is pinned
 * @PINS_HOLD: ACT_PIN has succeeded
 * @SET_UP_DONE: ACT_FINISH has found the pins to hold, or time has ended the set-up
 */
enum happening {
	LSTAR_SET, LSTAR_CLEARED, SFMASK_SET, INIT_SEEN, RESET_SEEN,
	STATE_LOADED, PINS_VOID, VCPU_GONE, LOOKED, FOUND, CHECKED, PINS_HOLD,
	SET_UP_DONE,
	NR_HAPPENINGS
};

/**
 * struct phase_moment - the conditions of the table, besides phase and event
 * @open: the VM's gate is open
 * @once: the gate is closed by a window that ends with one kernel's set-up
 * @start: the policy pins from the first instruction
 * @lstar: the register holds an LSTAR; for SFMASK_SET and FOUND
 * @sfmask: the register holds an SFMASK; for CHECKED, see phase_asks_sfmask()
 * @other: a kernel has started while the gate was closed; for LOOKED
 * @own_regs: KVM shows the vCPU's own registers, not SMM's or a nested guest's; for FOUND,
 *	see phase_asks_own_regs()
 *
 * The caller fills in the conditions that its event asks for. @open and @once exclude each
 * other.
 */
struct phase_moment {
	bool open, once, start, lstar, sfmask, other, own_regs;
};

/* The duties of the caller, in this order. */
enum phase_act {
	ACT_NOTE = 1,		/* note for the VM that a kernel has started */
	ACT_LATER = 2,		/* look again soon: nothing is known yet */
	ACT_FLOOR = 4,		/* report the bits of the floor that the vCPU lacks */
	ACT_OPEN = 8,		/* end the window */
	ACT_PIN = 16,		/* unless pinned: give KVM the filters, then PINS_HOLD */
	ACT_FINISH = 32,	/* if the pins hold: SET_UP_DONE */
	ACT_REMEMBER = 64,	/* remember the values, and settle them for the VM */
	ACT_KEEP = 128,		/* report that an INIT lifted the pins; the VM stays armed */
	ACT_LEAVE = 256,	/* the vCPU no longer keeps the VM armed; report if it did */
};

/**
 * struct phase_step - the step that the table gives
 * @to: the next phase; the vCPU stays in it if KVM refuses ACT_PIN
 * @act: enum phase_act
 * @why: the reason, one sentence
 */
struct phase_step {
	uint8_t to;
	uint16_t act;
	const char *why;
};

/* Total: there is a row for each phase, event and moment. */
struct phase_step phase_next(unsigned int phase, enum happening event,
		       const struct phase_moment *moment);

/* Bits of struct phase_row's @when and @unless. */
enum {
	IF_OPEN = 1, IF_ONCE = 2, IF_START = 4, IF_LSTAR = 8, IF_SFMASK = 16,
	IF_OTHER = 32, IF_OWN_REGS = 64,
};

/* For struct phase_row's @pinning and @progress: unchanged. */
#define AS_IS	0xff

/**
 * struct phase_row - a row of the table; the first row that applies counts
 * @event: enum happening
 * @pinnings: the pinnings that the row is for, 1 << enum pinning; READY has any progress
 * @progresses: the progresses that the row is for, 1 << enum progress
 * @when: the row applies if all of these conditions are true
 * @unless: and none of these
 * @pinning: the next pinning, or AS_IS
 * @progress: the next progress, or AS_IS
 * @act: enum phase_act
 * @why: the reason, one sentence
 */
struct phase_row {
	uint8_t event, pinnings;
	uint16_t progresses;
	uint8_t when, unless;
	uint8_t pinning, progress;
	uint16_t act;
	const char *why;
};

/* The rows, for tests and the documentation. */
extern const struct phase_row phase_rows[];
extern const unsigned int phase_nr_rows;

/* The row that applies, as an index into phase_rows. */
unsigned int phase_row_of(unsigned int phase, enum happening event,
			  const struct phase_moment *moment);

/* The names in docs/internals/life-cycle.md. */
extern const char *const phase_pinnings[4];
extern const char *const phase_progresses[NR_PROGRESS];
extern const char *const phase_happenings[NR_HAPPENINGS];

#endif
