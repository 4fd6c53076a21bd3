/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes that no CPU accepts, whatever KVM and regpin decide. */
#ifndef REGPIN_TOOL_SIM_CPU_H
#define REGPIN_TOOL_SIM_CPU_H

#include <stdint.h>

#include "sim_state.h"

/*
 * The reason why no CPU accepts @value for a control register, given the vCPU's other
 * registers; NULL if some CPU does.
 */
const char *sim_cpu_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
			    unsigned int kind, uint64_t value);

#endif
