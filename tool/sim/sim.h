/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM under a policy without a guest: what a trace says that vCPUs do goes to the
 * same code as a guest's exits, on a KVM that only remembers (sim_kvm.c).
 */
#ifndef REGPIN_TOOL_SIM_H
#define REGPIN_TOOL_SIM_H

#include "lib/kvm/host.h"

#include "sim_state.h"
#include "trace.h"

/*
 * Puts a VM under @policy, which must fit @host, and must stay. One at a time.
 * Returns 0 or a negative errno.
 */
int sim_open(struct sim *sim, const struct regpin_policy *policy,
	     const struct host *host);
void sim_close(struct sim *sim);

/* Does what @line says, and fills in sim->result. Returns 0 or -ENOMEM. */
int sim_do(struct sim *sim, const struct trace_line *line);

/* What a register of vCPU @n holds, which need not be there yet. */
uint64_t sim_holds(const struct sim *sim, uint32_t n, unsigned int kind,
		   uint32_t index);

/* Is vCPU @n armed; and has any one ever been? */
bool sim_is_armed(const struct sim *sim, uint32_t n);
bool sim_armed_ever(const struct sim *sim);

/* Did what was expected come of it? */
bool sim_as_expected(const struct sim *sim, const struct trace_line *line);

#endif
