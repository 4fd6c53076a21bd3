/* SPDX-License-Identifier: GPL-2.0-only */
/* The MSRs of a simulated vCPU. */
#ifndef REGPIN_TOOL_SIM_MSR_H
#define REGPIN_TOOL_SIM_MSR_H

#include "sim_state.h"

/* Performs an access to an MSR. Returns 0 or -ENOMEM. */
int sim_do_msr(struct sim *sim, struct sim_vcpu *vcpu,
	       const struct trace_line *line);

#endif
