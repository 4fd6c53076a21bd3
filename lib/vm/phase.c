// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The rows of the life cycle. A kernel's set-up begins with LSTAR or SFMASK and ends when
 * both are written. Registers that the kernel writes in between must stay writable until
 * then, and be pinned from then on. A row that ends the set-up too early makes a kernel
 * get #GP for its own set-up; a row that ends it too late leaves registers open.
 */
#include <stddef.h>

#include "phase.h"

#define P(pinning)	(1u << (pinning))
#define ANY		(P(UNPINNED) | P(KEPT) | P(PINNED) | P(READY))
#define LOOSE		(P(UNPINNED) | P(KEPT))
#define SETTING_UP	(LOOSE | P(PINNED))
#define ARMED		(P(PINNED) | P(READY))

/* TWICE: in a first set-up, and in a set-up after another kernel's. */
#define G(progress)	(1u << (progress))
#define TWICE(progress)	(G(progress) | G((progress) + AGAIN))
#define WHATEVER	(G(NR_PROGRESS) - 1)
#define BELIEVED	(TWICE(NONE) | TWICE(MASK) | TWICE(ENTRY) | TWICE(BOTH))
#define UNBELIEVED	(WHATEVER & ~BELIEVED)

const struct phase_row phase_rows[] = {
	/* The guest has set LSTAR: a kernel is starting. */
	{ LSTAR_SET, P(READY), WHATEVER, IF_OPEN, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone decides what may be written." },
	{ LSTAR_SET, P(READY), WHATEVER, 0, IF_OPEN, READY, AS_IS, ACT_NOTE,
	  "The gate is being closed at this moment; the event `pins void` comes next." },
	{ LSTAR_SET, SETTING_UP, TWICE(BOTH), IF_OPEN, 0, AS_IS, AGAIN_ENTRY,
	  ACT_PIN,
	  "A whole set-up has been written: another kernel takes over and begins its own." },
	{ LSTAR_SET, SETTING_UP, TWICE(BOTH), 0, IF_OPEN, AS_IS, AGAIN_ENTRY,
	  ACT_NOTE,
	  "Another kernel takes over while the gate is closed; it has yet to write SFMASK." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), IF_OPEN, 0, AS_IS,
	  BOTH, ACT_PIN | ACT_FINISH,
	  "SFMASK was written first, as by some systems, so LSTAR ends the set-up." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), IF_ONCE, 0, AS_IS,
	  BOTH, ACT_NOTE | ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "LSTAR ends the set-up, and with it the window, which was for this one kernel." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), 0, IF_OPEN, AS_IS,
	  BOTH, ACT_NOTE,
	  "LSTAR ends the set-up; the gate stays closed." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_OPEN,
	  0, AS_IS, AGAIN_BOTH, ACT_PIN | ACT_FINISH,
	  "SFMASK was written first, also by this kernel, so LSTAR ends the set-up." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_ONCE,
	  0, AS_IS, AGAIN_BOTH, ACT_NOTE | ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "LSTAR ends the set-up, and with it the window, which was for this one kernel." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), 0,
	  IF_OPEN, AS_IS, AGAIN_BOTH, ACT_NOTE,
	  "LSTAR ends the set-up; the gate stays closed." },
	{ LSTAR_SET, SETTING_UP, G(NONE) | G(ENTRY) | G(STALE), IF_OPEN, 0,
	  AS_IS, ENTRY, ACT_PIN,
	  "A kernel has started: it is pinned, and SFMASK will end its set-up." },
	{ LSTAR_SET, SETTING_UP, G(NONE) | G(ENTRY) | G(STALE), 0, IF_OPEN,
	  AS_IS, ENTRY, ACT_NOTE,
	  "The gate is closed. When it opens, this LSTAR counts: it is this kernel's own." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN) | G(AGAIN_ENTRY) | G(AGAIN_STALE),
	  IF_OPEN, 0, AS_IS, AGAIN_ENTRY, ACT_PIN,
	  "A kernel has started; other registers still hold an earlier kernel's values." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN) | G(AGAIN_ENTRY) | G(AGAIN_STALE), 0,
	  IF_OPEN, AS_IS, AGAIN_ENTRY, ACT_NOTE,
	  "A kernel has started while the gate is closed, after an earlier kernel." },

	/* The guest has cleared LSTAR: what it held before was not the final entry point. */
	{ LSTAR_CLEARED, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone decides what may be written." },
	{ LSTAR_CLEARED, SETTING_UP, G(ENTRY), 0, 0, AS_IS, NONE, 0,
	  "There is no LSTAR now; the next one begins the set-up." },
	{ LSTAR_CLEARED, SETTING_UP, G(AGAIN_ENTRY), 0, 0, AS_IS, AGAIN, 0,
	  "There is no LSTAR now; other registers still hold an earlier kernel's values." },
	{ LSTAR_CLEARED, SETTING_UP, G(BOTH), 0, 0, AS_IS, MASK, 0,
	  "There is no LSTAR now; SFMASK still counts as written." },
	{ LSTAR_CLEARED, SETTING_UP, G(AGAIN_BOTH), 0, 0, AS_IS, AGAIN_MASK, 0,
	  "There is no LSTAR now; other registers still hold an earlier kernel's values." },
	{ LSTAR_CLEARED, SETTING_UP, TWICE(NONE) | TWICE(MASK) | UNBELIEVED, 0,
	  0, AS_IS, AS_IS, 0,
	  "This kernel had not set LSTAR, so nothing has changed." },

	/* The guest has written SFMASK. Any value counts, even 0: a kernel may mask no flag. */
	{ SFMASK_SET, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone decides what may be written." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), IF_LSTAR | IF_ONCE, 0,
	  AS_IS, BOTH, ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "SFMASK ends the set-up, and with it the window, which was for this one kernel." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), IF_LSTAR, 0, AS_IS, BOTH,
	  ACT_FINISH,
	  "SFMASK ends the set-up." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), 0, IF_LSTAR, AS_IS, BOTH,
	  0,
	  "The VMM has cleared LSTAR meanwhile, so there is no kernel." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH),
	  IF_LSTAR | IF_ONCE, 0, AS_IS, AGAIN_BOTH,
	  ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "SFMASK ends the set-up, and with it the window, which was for this one kernel." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH), IF_LSTAR, 0,
	  AS_IS, AGAIN_BOTH, ACT_FINISH,
	  "SFMASK ends the set-up of a later kernel." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH), 0, IF_LSTAR,
	  AS_IS, AGAIN_BOTH, 0,
	  "The VMM has cleared LSTAR meanwhile, so there is no kernel." },
	{ SFMASK_SET, SETTING_UP, G(NONE) | G(MASK), 0, 0, AS_IS, MASK, 0,
	  "SFMASK comes before LSTAR, which will end the set-up." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN) | G(AGAIN_MASK), 0, 0, AS_IS,
	  AGAIN_MASK, 0,
	  "SFMASK comes first. LSTAR holds an earlier kernel's value, which does not count." },
	{ SFMASK_SET, SETTING_UP, G(STALE) | G(STALE_MASK), 0, 0, AS_IS,
	  STALE_MASK, 0,
	  "A kernel that starts after an INIT writes SFMASK before LSTAR." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_STALE) | G(AGAIN_STALE_MASK), 0, 0,
	  AS_IS, AGAIN_STALE_MASK, 0,
	  "The same on a vCPU whose other registers hold an earlier kernel's values." },

	/* INIT resets control registers and EFER, but not the syscall MSRs. */
	{ INIT_SEEN, ARMED, WHATEVER, IF_START, 0, KEPT, AGAIN_STALE,
	  ACT_KEEP | ACT_PIN,
	  "INIT ended the pins. They must hold from the first instruction, so they are set again." },
	{ INIT_SEEN, ARMED, WHATEVER, 0, IF_START, KEPT, AGAIN_STALE, ACT_KEEP,
	  "INIT ended the pins. The kernel that starts on this vCPU is subject to the floor." },
	{ INIT_SEEN, LOOSE, G(NONE) | G(STALE), 0, 0, AS_IS, STALE, 0,
	  "Nothing was written before the INIT, so no value is an earlier kernel's." },
	{ INIT_SEEN, LOOSE, WHATEVER & ~(G(NONE) | G(STALE)), 0, 0, AS_IS,
	  AGAIN_STALE, 0,
	  "The MSRs survive the INIT, but reveal nothing about the kernel that starts next." },

	/* Actions of the VMM. */
	{ RESET_SEEN, ANY, WHATEVER, 0, 0, UNPINNED, NONE, ACT_LEAVE,
	  "A reset leaves nothing: the vCPU is like a new one." },
	{ STATE_LOADED, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "A state may come in several writes; only the last one shows what it is." },
	{ STATE_LOADED, SETTING_UP, TWICE(NONE) | TWICE(ENTRY) | TWICE(STALE),
	  0, 0, AS_IS, ENTRY, 0,
	  "The state is the VMM's now; what the guest wrote before does not count." },
	{ STATE_LOADED, SETTING_UP,
	  TWICE(MASK) | TWICE(BOTH) | TWICE(STALE_MASK), 0, 0, AS_IS, BOTH, 0,
	  "The state is the VMM's now, and SFMASK counts as written." },
	{ PINS_VOID, P(READY), WHATEVER, 0, 0, UNPINNED, AGAIN, ACT_LEAVE,
	  "The pins belong to an earlier life; LSTAR is that of the kernel that runs." },
	{ PINS_VOID, SETTING_UP, BELIEVED, 0, 0, UNPINNED, AGAIN, ACT_LEAVE,
	  "The pins belong to an earlier life, and so does what was written in it." },
	{ PINS_VOID, SETTING_UP, UNBELIEVED, 0, 0, UNPINNED, AGAIN_STALE,
	  ACT_LEAVE,
	  "The pins belong to an earlier life, and since the INIT no kernel has set LSTAR." },
	{ VCPU_GONE, ANY, WHATEVER, 0, 0, UNPINNED, NONE, ACT_LEAVE,
	  "A vCPU that no longer exists does not keep the VM armed." },

	/* The vCPU reads its own registers before it enters. */
	{ LOOKED, LOOSE, G(NONE) | G(STALE), IF_OTHER, 0, AS_IS, STALE, 0,
	  "A kernel took over while the gate was closed, so LSTAR may be an earlier kernel's." },
	{ LOOKED, LOOSE, G(MASK) | G(STALE_MASK), IF_OTHER, 0, AS_IS,
	  STALE_MASK, 0,
	  "The same; SFMASK is already written." },
	{ LOOKED, LOOSE, G(AGAIN) | G(AGAIN_STALE), IF_OTHER, 0, AS_IS,
	  AGAIN_STALE, 0,
	  "The same on a vCPU whose other registers hold an earlier kernel's values." },
	{ LOOKED, LOOSE, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_OTHER, 0,
	  AS_IS, AGAIN_STALE_MASK, 0,
	  "The same; SFMASK is already written." },
	{ LOOKED, ANY, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "No kernel has taken over, or this vCPU has set LSTAR, or is pinned." },
	{ FOUND, ARMED, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "The vCPU is already pinned." },
	{ FOUND, LOOSE, WHATEVER, IF_START, 0, AS_IS, AS_IS, ACT_PIN,
	  "The pins must hold from the first instruction." },
	{ FOUND, LOOSE, BELIEVED, IF_LSTAR | IF_OWN_REGS, 0, AS_IS, AS_IS,
	  ACT_FLOOR | ACT_PIN,
	  "There is a kernel; a closed gate, or a write by the VMM, has kept it from being pinned." },
	{ FOUND, LOOSE, BELIEVED, IF_LSTAR, IF_OWN_REGS, AS_IS, AS_IS, ACT_LATER,
	  "KVM shows the registers of SMM or of a nested guest, which prove nothing." },
	{ FOUND, LOOSE, BELIEVED, 0, IF_LSTAR, AS_IS, AS_IS, 0,
	  "No kernel has started." },
	{ FOUND, LOOSE, UNBELIEVED, 0, 0, AS_IS, AS_IS, 0,
	  "LSTAR is an earlier kernel's, so it does not show that a kernel has started." },
	{ CHECKED, P(PINNED), G(MASK) | G(BOTH) | G(AGAIN_BOTH), 0, 0, READY,
	  NONE, ACT_REMEMBER,
	  "LSTAR is set and SFMASK was written, so the set-up has ended." },
	{ CHECKED, P(PINNED), G(NONE) | G(ENTRY) | G(AGAIN), IF_SFMASK, 0,
	  READY, NONE, ACT_REMEMBER,
	  "No other set-up was seen, so the values of the registers count." },
	{ CHECKED, P(PINNED), G(NONE) | G(ENTRY) | G(AGAIN), 0, IF_SFMASK,
	  AS_IS, AS_IS, 0,
	  "SFMASK has yet to come." },
	{ CHECKED, P(PINNED), G(AGAIN_MASK) | G(AGAIN_ENTRY), 0, 0, AS_IS,
	  AS_IS, 0,
	  "A later set-up has begun; only what is written in it counts." },
	{ CHECKED, P(PINNED), UNBELIEVED, 0, 0, AS_IS, AS_IS, 0,
	  "LSTAR is an earlier kernel's, so no set-up has ended." },
	{ CHECKED, LOOSE | P(READY), WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "No set-up is going on that could have ended." },

	/* The results of the actions. */
	{ PINS_HOLD, SETTING_UP, WHATEVER, 0, 0, PINNED, AS_IS, 0,
	  "KVM has installed the filters." },
	{ PINS_HOLD, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "The pins held already." },
	{ SET_UP_DONE, ARMED, WHATEVER, 0, 0, READY, NONE, ACT_REMEMBER,
	  "From now on the values of the registers are this kernel's." },
	{ SET_UP_DONE, LOOSE, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "Without pins there are no values to remember." },
};

const unsigned int phase_nr_rows = sizeof(phase_rows) / sizeof(phase_rows[0]);

static unsigned int bits_of(const struct phase_moment *moment)
{
	return (moment->open ? IF_OPEN : 0u) | (moment->once ? IF_ONCE : 0u) |
	       (moment->start ? IF_START : 0u) |
	       (moment->lstar ? IF_LSTAR : 0u) |
	       (moment->sfmask ? IF_SFMASK : 0u) |
	       (moment->other ? IF_OTHER : 0u) |
	       (moment->own_regs ? IF_OWN_REGS : 0u);
}

unsigned int phase_row_of(unsigned int phase, enum happening event,
			  const struct phase_moment *moment)
{
	unsigned int bits = bits_of(moment), i = 0;

	for (; i < phase_nr_rows; i++) {
		const struct phase_row *row = &phase_rows[i];

		if (row->event == event &&
		    row->pinnings & P(phase_pinning(phase)) &&
		    row->progresses & G(phase_progress(phase)) &&
		    (row->when & bits) == row->when && !(row->unless & bits))
			break;
	}
	return i;
}

struct phase_step phase_next(unsigned int phase, enum happening event,
		       const struct phase_moment *moment)
{
	unsigned int i = phase_row_of(phase, event, moment);
	const struct phase_row *row = &phase_rows[i];
	unsigned int pinning, progress;

	/* Not reached: a unit test checks that every cell has a row. */
	if (i == phase_nr_rows)
		return (struct phase_step){ .to = (uint8_t)phase };
	pinning = row->pinning == AS_IS ? phase_pinning(phase) : row->pinning;
	progress = row->progress == AS_IS ? phase_progress(phase) :
					    row->progress;
	return (struct phase_step){ .to = (uint8_t)PHASE(pinning, progress),
			      .act = row->act, .why = row->why };
}

const char *const phase_pinnings[4] = {
	[UNPINNED] = "unpinned", [KEPT] = "kept", [PINNED] = "pinned",
	[READY] = "ready",
};

const char *const phase_progresses[NR_PROGRESS] = {
	[NONE] = "none", [MASK] = "mask", [ENTRY] = "entry", [BOTH] = "both",
	[STALE] = "stale", [STALE_MASK] = "stale+mask",
	[AGAIN] = "again", [AGAIN_MASK] = "again+mask",
	[AGAIN_ENTRY] = "again+entry", [AGAIN_BOTH] = "again+both",
	[AGAIN_STALE] = "again+stale",
	[AGAIN_STALE_MASK] = "again+stale+mask",
};

const char *const phase_happenings[NR_HAPPENINGS] = {
	[LSTAR_SET] = "LSTAR set", [LSTAR_CLEARED] = "LSTAR cleared",
	[SFMASK_SET] = "SFMASK written", [INIT_SEEN] = "INIT",
	[RESET_SEEN] = "reset", [STATE_LOADED] = "state loaded",
	[PINS_VOID] = "pins void", [VCPU_GONE] = "vCPU gone",
	[LOOKED] = "look", [FOUND] = "look: LSTAR read",
	[CHECKED] = "look: LSTAR found, pinned", [PINS_HOLD] = "pins hold",
	[SET_UP_DONE] = "set-up finished",
};
