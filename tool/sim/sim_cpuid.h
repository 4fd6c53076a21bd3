/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUID of a simulated guest, and accesses that KVM refuses because of it. */
#ifndef REGPIN_TOOL_SIM_CPUID_H
#define REGPIN_TOOL_SIM_CPUID_H

#include <stdbool.h>

#include "sim_state.h"

/* Is the CPU's vendor AMD or Hygon? Is it Intel? Both return false if there is no @guest. */
bool sim_is_amd(const struct guest *guest);
bool sim_is_intel(const struct guest *guest);

/* Gives @vcpu the guest's CPUID. Returns 0 or a negative errno. */
int sim_set_cpuid(struct sim *sim, struct sim_vcpu *vcpu);

/*
 * Does KVM itself refuse this access, although the trace does not state it? Then @ret is
 * set to a line that states it.
 */
bool sim_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
		 const struct trace_line *line, struct trace_line *ret);

#endif
