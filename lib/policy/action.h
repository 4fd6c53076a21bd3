/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The effect of an action on the access. enum regpin_action is ordered, mildest first; only
 * this file may rely on the order.
 */
#ifndef REGPIN_LIB_ACTION_H
#define REGPIN_LIB_ACTION_H

#include <stdbool.h>

#include "regpin/event.h"

_Static_assert(REGPIN_ALLOW < REGPIN_REPORT && REGPIN_REPORT < REGPIN_MASK &&
	       REGPIN_MASK < REGPIN_DROP && REGPIN_DROP < REGPIN_GP &&
	       REGPIN_GP < REGPIN_PAUSE && REGPIN_PAUSE < REGPIN_STOP,
	       "mildest first");

/* Does the access happen unchanged, with or without an event? */
static inline bool action_lets_pass(unsigned int action)
{
	return action <= REGPIN_REPORT;
}

/* Is the access prevented, or held until it is answered? */
static inline bool action_refuses(unsigned int action)
{
	return action >= REGPIN_DROP;
}

/* Does the instruction complete, with a value if it is a read? */
static inline bool action_completes(unsigned int action)
{
	return action < REGPIN_GP;
}

/* Does the vCPU stop running until it is answered or reset? */
static inline bool action_interrupts(unsigned int action)
{
	return action >= REGPIN_PAUSE;
}

/* If two rules ask for @action and for @than, does @action decide? */
static inline bool action_is_graver(unsigned int action, unsigned int than)
{
	return action > than;
}

#endif
