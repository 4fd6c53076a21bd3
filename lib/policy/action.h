/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an action means for the access that it is taken about. enum regpin_action is
 * ordered, mildest first; only this file relies on the order.
 */
#ifndef REGPIN_LIB_ACTION_H
#define REGPIN_LIB_ACTION_H

#include <stdbool.h>

#include "regpin/event.h"

_Static_assert(REGPIN_ALLOW < REGPIN_REPORT && REGPIN_REPORT < REGPIN_MASK &&
	       REGPIN_MASK < REGPIN_DROP && REGPIN_DROP < REGPIN_GP &&
	       REGPIN_GP < REGPIN_PAUSE && REGPIN_PAUSE < REGPIN_STOP,
	       "mildest first");

/* Does the access happen as it was meant, whether an event reports it or not? */
static inline bool action_lets_pass(unsigned int action)
{
	return action <= REGPIN_REPORT;
}

/* Does the access not happen, or not before it is answered? */
static inline bool action_refuses(unsigned int action)
{
	return action >= REGPIN_DROP;
}

/* Is the instruction done with then, where a read has a value? */
static inline bool action_completes(unsigned int action)
{
	return action < REGPIN_GP;
}

/* Does the vCPU not run on by itself? */
static inline bool action_interrupts(unsigned int action)
{
	return action >= REGPIN_PAUSE;
}

/* Where both are asked for, does @action decide, and not @than? */
static inline bool action_is_graver(unsigned int action, unsigned int than)
{
	return action > than;
}

#endif
