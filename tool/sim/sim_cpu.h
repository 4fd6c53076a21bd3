/* SPDX-License-Identifier: GPL-2.0-only */
/* What no CPU does, whatever KVM and regpin say of it. */
#ifndef REGPIN_TOOL_SIM_CPU_H
#define REGPIN_TOOL_SIM_CPU_H

#include <stdint.h>

#include "sim_state.h"

/*
 * Why no CPU takes @value for a control register, by what else the vCPU holds; NULL if
 * one does.
 */
const char *sim_cpu_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
			    unsigned int kind, uint64_t value);

#endif
