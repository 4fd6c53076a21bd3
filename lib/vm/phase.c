// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The rows of the life cycle. A kernel's set-up begins with LSTAR or SFMASK and has ended
 * when both are written; registers that are written in between must stay writable until
 * then, and be pinned from then on. Each mistake has its victim: a row that finishes too
 * early makes a kernel get #GP for its own set-up, one that finishes too late leaves its
 * registers open.
 */
#include <stddef.h>

#include "phase.h"

#define P(pinning)	(1u << (pinning))
#define ANY		(P(UNPINNED) | P(KEPT) | P(PINNED) | P(READY))
#define LOOSE		(P(UNPINNED) | P(KEPT))
#define SETTING_UP	(LOOSE | P(PINNED))
#define ARMED		(P(PINNED) | P(READY))

/* TWICE: of a first set-up, and of one after another. */
#define G(progress)	(1u << (progress))
#define TWICE(progress)	(G(progress) | G((progress) + AGAIN))
#define WHATEVER	(G(NR_PROGRESS) - 1)
#define BELIEVED	(TWICE(NONE) | TWICE(MASK) | TWICE(ENTRY) | TWICE(BOTH))
#define UNBELIEVED	(WHATEVER & ~BELIEVED)

const struct phase_row phase_rows[] = {
	/* The guest has set LSTAR: a kernel comes up. */
	{ LSTAR_SET, P(READY), WHATEVER, IF_OPEN, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone says what may be written." },
	{ LSTAR_SET, P(READY), WHATEVER, 0, IF_OPEN, READY, AS_IS, ACT_NOTE,
	  "The gate is being closed at this moment; that the pins are void comes next." },
	{ LSTAR_SET, SETTING_UP, TWICE(BOTH), IF_OPEN, 0, AS_IS, AGAIN_ENTRY,
	  ACT_PIN,
	  "A whole set-up lies behind: another kernel takes over and begins anew." },
	{ LSTAR_SET, SETTING_UP, TWICE(BOTH), 0, IF_OPEN, AS_IS, AGAIN_ENTRY,
	  ACT_NOTE,
	  "The same while the gate is closed: its SFMASK has yet to come." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), IF_OPEN, 0, AS_IS,
	  BOTH, ACT_PIN | ACT_FINISH,
	  "SFMASK was first, as some systems do: LSTAR is the end." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), IF_ONCE, 0, AS_IS,
	  BOTH, ACT_NOTE | ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "The same, and the window was for this one kernel." },
	{ LSTAR_SET, SETTING_UP, G(MASK) | G(STALE_MASK), 0, IF_OPEN, AS_IS,
	  BOTH, ACT_NOTE,
	  "The same, and the gate stays closed." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_OPEN,
	  0, AS_IS, AGAIN_BOTH, ACT_PIN | ACT_FINISH,
	  "SFMASK was first; both are this kernel's, so the set-up has ended." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_ONCE,
	  0, AS_IS, AGAIN_BOTH, ACT_NOTE | ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "The same, and the window was for this one kernel." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), 0,
	  IF_OPEN, AS_IS, AGAIN_BOTH, ACT_NOTE,
	  "The same, and the gate stays closed." },
	{ LSTAR_SET, SETTING_UP, G(NONE) | G(ENTRY) | G(STALE), IF_OPEN, 0,
	  AS_IS, ENTRY, ACT_PIN,
	  "A kernel has come up: it is pinned, and SFMASK will end its set-up." },
	{ LSTAR_SET, SETTING_UP, G(NONE) | G(ENTRY) | G(STALE), 0, IF_OPEN,
	  AS_IS, ENTRY, ACT_NOTE,
	  "The gate is closed: when it opens, this LSTAR is not an old one's." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN) | G(AGAIN_ENTRY) | G(AGAIN_STALE),
	  IF_OPEN, 0, AS_IS, AGAIN_ENTRY, ACT_PIN,
	  "A kernel has come up; what other registers hold is an earlier one's." },
	{ LSTAR_SET, SETTING_UP, G(AGAIN) | G(AGAIN_ENTRY) | G(AGAIN_STALE), 0,
	  IF_OPEN, AS_IS, AGAIN_ENTRY, ACT_NOTE,
	  "The same while the gate is closed." },

	/* The guest has cleared LSTAR: that was no entry point yet. */
	{ LSTAR_CLEARED, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone says what may be written." },
	{ LSTAR_CLEARED, SETTING_UP, G(ENTRY), 0, 0, AS_IS, NONE, 0,
	  "Without an LSTAR the next one begins the set-up." },
	{ LSTAR_CLEARED, SETTING_UP, G(AGAIN_ENTRY), 0, 0, AS_IS, AGAIN, 0,
	  "The same after an earlier kernel." },
	{ LSTAR_CLEARED, SETTING_UP, G(BOTH), 0, 0, AS_IS, MASK, 0,
	  "SFMASK stays written." },
	{ LSTAR_CLEARED, SETTING_UP, G(AGAIN_BOTH), 0, 0, AS_IS, AGAIN_MASK, 0,
	  "The same after an earlier kernel." },
	{ LSTAR_CLEARED, SETTING_UP, TWICE(NONE) | TWICE(MASK) | UNBELIEVED, 0,
	  0, AS_IS, AS_IS, 0,
	  "It had not set one." },

	/* The guest has written SFMASK: whatever the value, a kernel may mask no flag. */
	{ SFMASK_SET, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "The set-up is finished: the judge alone says what may be written." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), IF_LSTAR | IF_ONCE, 0,
	  AS_IS, BOTH, ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "The end of the set-up that the window was for." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), IF_LSTAR, 0, AS_IS, BOTH,
	  ACT_FINISH,
	  "The end of the set-up." },
	{ SFMASK_SET, SETTING_UP, G(ENTRY) | G(BOTH), 0, IF_LSTAR, AS_IS, BOTH,
	  0,
	  "The VMM has cleared LSTAR meanwhile: no kernel is there." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH),
	  IF_LSTAR | IF_ONCE, 0, AS_IS, AGAIN_BOTH,
	  ACT_OPEN | ACT_PIN | ACT_FINISH,
	  "The end of the set-up that the window was for." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH), IF_LSTAR, 0,
	  AS_IS, AGAIN_BOTH, ACT_FINISH,
	  "The end of a later kernel's set-up." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_ENTRY) | G(AGAIN_BOTH), 0, IF_LSTAR,
	  AS_IS, AGAIN_BOTH, 0,
	  "The VMM has cleared LSTAR meanwhile: no kernel is there." },
	{ SFMASK_SET, SETTING_UP, G(NONE) | G(MASK), 0, 0, AS_IS, MASK, 0,
	  "SFMASK before LSTAR, which will be the end." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN) | G(AGAIN_MASK), 0, 0, AS_IS,
	  AGAIN_MASK, 0,
	  "The same; LSTAR holds an earlier kernel's value, so it does not count." },
	{ SFMASK_SET, SETTING_UP, G(STALE) | G(STALE_MASK), 0, 0, AS_IS,
	  STALE_MASK, 0,
	  "SFMASK before LSTAR, by a kernel that comes up after an INIT." },
	{ SFMASK_SET, SETTING_UP, G(AGAIN_STALE) | G(AGAIN_STALE_MASK), 0, 0,
	  AS_IS, AGAIN_STALE_MASK, 0,
	  "The same after an earlier kernel." },

	/* INIT takes control registers and EFER, but not the syscall MSRs. */
	{ INIT_SEEN, ARMED, WHATEVER, IF_START, 0, KEPT, AGAIN_STALE,
	  ACT_KEEP | ACT_PIN,
	  "It took the pins, which are to hold from the first instruction." },
	{ INIT_SEEN, ARMED, WHATEVER, 0, IF_START, KEPT, AGAIN_STALE, ACT_KEEP,
	  "It took the pins; what comes up there is under the floor." },
	{ INIT_SEEN, LOOSE, G(NONE) | G(STALE), 0, 0, AS_IS, STALE, 0,
	  "Nothing was written before it, so nothing is an earlier kernel's." },
	{ INIT_SEEN, LOOSE, WHATEVER & ~(G(NONE) | G(STALE)), 0, 0, AS_IS,
	  AGAIN_STALE, 0,
	  "The MSRs outlive it, but say nothing of what comes up next." },

	/* What the VMM does. */
	{ RESET_SEEN, ANY, WHATEVER, 0, 0, UNPINNED, NONE, ACT_LEAVE,
	  "Nothing of the vCPU is left: it is as new." },
	{ STATE_LOADED, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "A state may come in several writes: what it is in the end counts." },
	{ STATE_LOADED, SETTING_UP, TWICE(NONE) | TWICE(ENTRY) | TWICE(STALE),
	  0, 0, AS_IS, ENTRY, 0,
	  "It is the VMM's state now, whatever the guest had done before." },
	{ STATE_LOADED, SETTING_UP,
	  TWICE(MASK) | TWICE(BOTH) | TWICE(STALE_MASK), 0, 0, AS_IS, BOTH, 0,
	  "The same, and SFMASK counts as written." },
	{ PINS_VOID, P(READY), WHATEVER, 0, 0, UNPINNED, AGAIN, ACT_LEAVE,
	  "The pins are of an earlier life; LSTAR is that of the kernel that runs." },
	{ PINS_VOID, SETTING_UP, BELIEVED, 0, 0, UNPINNED, AGAIN, ACT_LEAVE,
	  "The same; what was written before does not count in this life." },
	{ PINS_VOID, SETTING_UP, UNBELIEVED, 0, 0, UNPINNED, AGAIN_STALE,
	  ACT_LEAVE,
	  "The same, but since the INIT no kernel has set LSTAR." },
	{ VCPU_GONE, ANY, WHATEVER, 0, 0, UNPINNED, NONE, ACT_LEAVE,
	  "A vCPU that is no more keeps nothing." },

	/* The vCPU looks at itself. */
	{ LOOKED, LOOSE, G(NONE) | G(STALE), IF_OTHER, 0, AS_IS, STALE, 0,
	  "A kernel took over while the gate was closed: LSTAR may be an old one's." },
	{ LOOKED, LOOSE, G(MASK) | G(STALE_MASK), IF_OTHER, 0, AS_IS,
	  STALE_MASK, 0,
	  "The same, and SFMASK is written already." },
	{ LOOKED, LOOSE, G(AGAIN) | G(AGAIN_STALE), IF_OTHER, 0, AS_IS,
	  AGAIN_STALE, 0,
	  "The same on a vCPU that had an earlier kernel." },
	{ LOOKED, LOOSE, G(AGAIN_MASK) | G(AGAIN_STALE_MASK), IF_OTHER, 0,
	  AS_IS, AGAIN_STALE_MASK, 0,
	  "The same, and SFMASK is written already." },
	{ LOOKED, ANY, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "No kernel has taken over, or this vCPU has set LSTAR, or is pinned." },
	{ FOUND, ARMED, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "It is pinned already." },
	{ FOUND, LOOSE, WHATEVER, IF_START, 0, AS_IS, AS_IS, ACT_PIN,
	  "The pins are to hold from the first instruction." },
	{ FOUND, LOOSE, BELIEVED, IF_LSTAR | IF_HOME, 0, AS_IS, AS_IS,
	  ACT_FLOOR | ACT_PIN,
	  "A kernel is there, which the gate or the VMM's hand kept from being pinned." },
	{ FOUND, LOOSE, BELIEVED, IF_LSTAR, IF_HOME, AS_IS, AS_IS, ACT_LATER,
	  "KVM shows SMM's registers, or a nested guest's: they say nothing." },
	{ FOUND, LOOSE, BELIEVED, 0, IF_LSTAR, AS_IS, AS_IS, 0,
	  "No kernel has come up." },
	{ FOUND, LOOSE, UNBELIEVED, 0, 0, AS_IS, AS_IS, 0,
	  "LSTAR is an earlier kernel's, so it does not say that one has come up." },
	{ CHECKED, P(PINNED), G(MASK) | G(BOTH) | G(AGAIN_BOTH), 0, 0, READY,
	  NONE, ACT_REMEMBER,
	  "LSTAR is there, and SFMASK was written: the set-up has ended." },
	{ CHECKED, P(PINNED), G(NONE) | G(ENTRY) | G(AGAIN), IF_SFMASK, 0,
	  READY, NONE, ACT_REMEMBER,
	  "Nothing of another set-up was seen: the registers speak for themselves." },
	{ CHECKED, P(PINNED), G(NONE) | G(ENTRY) | G(AGAIN), 0, IF_SFMASK,
	  AS_IS, AS_IS, 0,
	  "SFMASK has yet to come." },
	{ CHECKED, P(PINNED), G(AGAIN_MASK) | G(AGAIN_ENTRY), 0, 0, AS_IS,
	  AS_IS, 0,
	  "A later set-up has begun: only what is written in it counts." },
	{ CHECKED, P(PINNED), UNBELIEVED, 0, 0, AS_IS, AS_IS, 0,
	  "LSTAR is an earlier kernel's." },
	{ CHECKED, LOOSE | P(READY), WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "There is no set-up that could have ended." },

	/* What came of the actions. */
	{ PINS_HOLD, SETTING_UP, WHATEVER, 0, 0, PINNED, AS_IS, 0,
	  "KVM has the filters." },
	{ PINS_HOLD, P(READY), WHATEVER, 0, 0, READY, AS_IS, 0,
	  "They held already." },
	{ SET_UP_DONE, ARMED, WHATEVER, 0, 0, READY, NONE, ACT_REMEMBER,
	  "What the registers hold from now on is this kernel's." },
	{ SET_UP_DONE, LOOSE, WHATEVER, 0, 0, AS_IS, AS_IS, 0,
	  "Without pins nothing is to be remembered." },
};

const unsigned int phase_nr_rows = sizeof(phase_rows) / sizeof(phase_rows[0]);

static unsigned int bits_of(const struct phase_moment *moment)
{
	return (moment->open ? IF_OPEN : 0u) | (moment->once ? IF_ONCE : 0u) |
	       (moment->start ? IF_START : 0u) |
	       (moment->lstar ? IF_LSTAR : 0u) |
	       (moment->sfmask ? IF_SFMASK : 0u) |
	       (moment->other ? IF_OTHER : 0u) | (moment->home ? IF_HOME : 0u);
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

	/* A unit test walks through all cells, so this is never so. */
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
