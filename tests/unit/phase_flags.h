/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life cycle as seven flags, as lib/vm/lifecycle.c kept it before the table
 * existed. The conditions were not derived from the rows, so test_phase.c can compare
 * the two.
 */
#ifndef REGPIN_TESTS_UNIT_PHASE_FLAGS_H
#define REGPIN_TESTS_UNIT_PHASE_FLAGS_H

#include "lib/vm/phase.h"

/**
 * struct flags - the state of a vCPU
 * @armed: its pins hold
 * @kept: it was armed before its INIT, so the VM still is
 * @fresh: LSTAR is that of an earlier life
 * @entered: the guest has set LSTAR in this life, or the VMM has loaded one
 * @masked: the guest has written SFMASK in this life
 * @reborn: the MSRs are of an earlier life, until the set-up is done
 * @setup_done: the set-up has been finished
 */
struct flags {
	bool armed, kept, fresh, entered, masked, reborn, setup_done;
};

/* Once the set-up is finished, only @armed has a meaning. */
static inline unsigned int flags_phase(const struct flags *f)
{
	unsigned int progress = f->fresh ? STALE : f->entered ? ENTRY : NONE;

	if (f->setup_done)
		return PHASE_READY;
	if (f->masked)
		progress = progress == ENTRY ? BOTH : progress + 1;
	if (f->reborn)
		progress += AGAIN;
	return PHASE(f->armed ? PINNED : f->kept ? KEPT : UNPINNED, progress);
}

static inline struct flags flags_of(unsigned int phase)
{
	unsigned int progress = phase_progress(phase) % AGAIN;

	if (phase == PHASE_READY)
		return (struct flags){ .armed = true, .setup_done = true };
	return (struct flags){
		.armed = phase_pinning(phase) == PINNED,
		.kept = phase_pinning(phase) == KEPT,
		.fresh = progress == STALE || progress == STALE_MASK,
		.entered = progress == ENTRY || progress == BOTH,
		.masked = progress == MASK || progress == BOTH ||
			  progress == STALE_MASK,
		.reborn = phase_progress(phase) >= AGAIN,
	};
}

/* The actions at the write that finishes the set-up. */
static inline unsigned int flags_entry_done(const struct phase_moment *m)
{
	return ACT_FINISH | (m->once ? ACT_OPEN | ACT_PIN : 0);
}

static inline unsigned int flags_lstar(struct flags *f, const struct phase_moment *m)
{
	unsigned int act = m->open ? 0 : ACT_NOTE;

	if (f->setup_done)
		return act;
	if (f->entered && f->masked) {
		f->masked = false;
		f->reborn = true;
	}
	f->entered = true;
	f->fresh = false;
	if (m->open)
		act |= ACT_PIN;
	/* While the operator keeps the gate closed, no set-up finishes. */
	if (f->masked && (m->open || m->once))
		act |= flags_entry_done(m);
	return act;
}

static inline unsigned int flags_sfmask(struct flags *f, const struct phase_moment *m)
{
	if (f->setup_done)
		return 0;
	f->masked = true;
	return m->lstar && f->entered ? flags_entry_done(m) : 0;
}

static inline unsigned int flags_init(struct flags *f, const struct phase_moment *m)
{
	bool armed = f->armed;

	f->fresh = true;
	f->reborn |= f->entered || f->masked || armed;
	f->entered = f->masked = f->armed = f->setup_done = false;
	f->kept |= armed;
	return armed ? ACT_KEEP | (m->start ? ACT_PIN : 0) : 0;
}

static inline unsigned int flags_found(const struct flags *f,
				       const struct phase_moment *m)
{
	if (f->armed)
		return 0;
	if (m->start)
		return ACT_PIN;
	if (!m->lstar || f->fresh)
		return 0;
	return m->own_regs ? ACT_FLOOR | ACT_PIN : ACT_LATER;
}

static inline bool flags_is_through(const struct flags *f,
				    const struct phase_moment *m)
{
	if (f->fresh)
		return false;
	if (f->reborn && (f->entered || f->masked))
		return f->entered && f->masked;
	return f->masked || m->sfmask;
}

static inline unsigned int flags_finish(struct flags *f, bool through)
{
	if (!through)
		return 0;
	*f = (struct flags){ .armed = true, .setup_done = true };
	return ACT_REMEMBER;
}

/*
 * A loaded state counts as a kernel that has set LSTAR. Other events clear the flags; after
 * PINS_VOID the MSRs are of an earlier life.
 */
static inline unsigned int flags_by_vmm(struct flags *f, enum happening event)
{
	bool fresh = f->fresh;

	if (event == STATE_LOADED) {
		if (!f->setup_done) {
			f->fresh = f->reborn = false;
			f->entered = true;
		}
		return 0;
	}
	*f = (struct flags){ 0 };
	if (event == PINS_VOID) {
		f->fresh = fresh;
		f->reborn = true;
	}
	return ACT_LEAVE;
}

/* Applies the event to @f and returns the actions. */
static inline unsigned int flags_next(struct flags *f, enum happening event,
				      const struct phase_moment *m)
{
	switch (event) {
	case LSTAR_SET:
		return flags_lstar(f, m);
	case LSTAR_CLEARED:
		f->entered = false;
		return 0;
	case SFMASK_SET:
		return flags_sfmask(f, m);
	case INIT_SEEN:
		return flags_init(f, m);
	case RESET_SEEN:
	case STATE_LOADED:
	case PINS_VOID:
	case VCPU_GONE:
		return flags_by_vmm(f, event);
	case LOOKED:
		if (!f->armed && !f->entered && m->other)
			f->fresh = true;
		return 0;
	case FOUND:
		return flags_found(f, m);
	case CHECKED:
		return flags_finish(f, f->armed && !f->setup_done &&
					       flags_is_through(f, m));
	case PINS_HOLD:
		f->armed = true;
		f->kept = false;
		return 0;
	case SET_UP_DONE:
		return flags_finish(f, f->armed);
	case NR_HAPPENINGS:
		break;
	}
	return 0;
}

#endif
