/* SPDX-License-Identifier: GPL-2.0-only */
/* An exit of a simulated vCPU, and its outcome. */
#ifndef REGPIN_TOOL_SIM_EXIT_H
#define REGPIN_TOOL_SIM_EXIT_H

#include <stdbool.h>

#include "sim_state.h"

/* The outcome of an access that a rule with @action forbids. */
enum outcome sim_by_action(unsigned int action);

/* The outcome of the access whose exit has been judged. */
enum outcome sim_judged(const struct sim *sim, const struct sim_vcpu *vcpu,
			bool gp);

/*
 * Performs an exit, and then the vCPU's next entry, to the end of the instruction. As when a
 * guest runs on, that entry polls what the exit has changed.
 */
void sim_come_and_go(struct sim_vcpu *vcpu);

#endif
