/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM under a policy, without a guest: accesses of a trace take the same code as a guest's
 * exits, on a simulated KVM that only stores registers (sim_kvm.c).
 */
#ifndef REGPIN_TOOL_SIM_H
#define REGPIN_TOOL_SIM_H

#include "lib/kvm/host.h"

#include "sim_state.h"
#include "trace.h"

/*
 * Puts a VM under @policy, which the caller has fitted to @host, and keeps until sim_close().
 * Only one simulation may be open. Returns 0 or a negative errno.
 */
int sim_open(struct sim *sim, const struct regpin_policy *policy,
	     const struct host *host);
void sim_close(struct sim *sim);

/* Executes @line, and fills in sim->result. Returns 0 or -ENOMEM. */
int sim_do(struct sim *sim, const struct trace_line *line);

/* The value of a register of vCPU @n, which need not exist yet. */
uint64_t sim_holds(const struct sim *sim, uint32_t n, unsigned int kind,
		   uint32_t index);

/* Is vCPU @n armed; and has any vCPU ever been armed? */
bool sim_is_armed(const struct sim *sim, uint32_t n);
bool sim_armed_ever(const struct sim *sim);

/* Is the outcome of @line the expected one? */
bool sim_as_expected(const struct sim *sim, const struct trace_line *line);

#endif
