/* SPDX-License-Identifier: GPL-2.0-only */
/* An exit of a simulated vCPU, and what became of it. */
#ifndef REGPIN_TOOL_SIM_EXIT_H
#define REGPIN_TOOL_SIM_EXIT_H

#include <stdbool.h>

#include "sim_state.h"

/* What becomes of an access that a rule with @action forbids. */
enum outcome sim_by_action(unsigned int action);

/* The exit was judged: what became of the access? */
enum outcome sim_judged(const struct sim *sim, const struct sim_vcpu *vcpu,
			bool gp);

/*
 * An exit, and the vCPU's way back to the instruction's end: what the exit has changed is
 * looked at there, as the guest runs on.
 */
void sim_come_and_go(struct sim_vcpu *vcpu);

#endif
