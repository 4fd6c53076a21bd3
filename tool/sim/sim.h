/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM under a policy without a guest: what a trace says that vCPUs do goes to the
 * same code as a guest's exits, on a KVM that only remembers (sim_kvm.c).
 */
#ifndef REGPIN_TOOL_SIM_H
#define REGPIN_TOOL_SIM_H

#include "host.h"

#include "sim_kvm.h"
#include "trace.h"

#define SIM_EVENTS	64

/**
 * struct sim_result - what came of a line
 * @outcome: enum outcome
 * @has_value: @value says something
 * @value: what the read returned, or what the register holds afterwards
 * @violated: @violation tells of it
 * @violation: REGPIN_EVENT_VIOLATION or REGPIN_EVENT_DETECTED
 * @monitored: the write was not stopped, as this KVM has no CR filter, but @would tells
 *	what the next look at the register will find
 * @would: REGPIN_EVENT_DETECTED
 * @no_cpu: why no CPU would do it, whatever else is said of it, or NULL
 * @armed: a vCPU was armed by this line or one before
 * @answered: it ended as the operator has answered
 * @nr: number of @events
 * @lost: there were more
 * @events: what else happened
 */
struct sim_result {
	enum outcome outcome;
	bool has_value;
	uint64_t value;
	bool violated;
	struct regpin_event violation;
	bool monitored;
	struct regpin_event would;
	const char *no_cpu;
	bool armed, answered;
	unsigned int nr;
	bool lost;
	struct regpin_event events[SIM_EVENTS];
};

/**
 * struct sim - a simulation
 * @policy: as this host would enforce it
 * @vm: as the library sees it
 * @kvm: as KVM would see it
 * @result: of the last line
 */
struct sim {
	const struct regpin_policy *policy;
	const struct guest *guest;	/* what CPUID says; NULL: nothing of vendors */
	struct regpin_vm *vm;
	struct sim_kvm kvm;
	struct sim_result result;
};

/*
 * Puts a VM under @policy, which must fit @host, and must stay. One at a time.
 * Returns 0 or a negative errno.
 */
int sim_open(struct sim *sim, const struct regpin_policy *policy,
	     const struct host *host);
void sim_close(struct sim *sim);

/* Is the guest's CPU AMD's or Hygon's; or Intel's? Neither if there is no @guest. */
bool sim_is_amd(const struct guest *guest);
bool sim_is_intel(const struct guest *guest);

/*
 * Why no CPU takes @value for a control register, by what else the vCPU holds; NULL if
 * one does.
 */
const char *sim_cpu_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
			    unsigned int kind, uint64_t value);

/* Gives @vcpu the guest's CPUID. Returns 0 or a negative errno. */
int sim_set_cpuid(struct sim *sim, struct sim_vcpu *vcpu);

/*
 * Does KVM refuse this access by itself, without that the trace says so? Then @ret is
 * the line that would say it.
 */
bool sim_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
		 const struct trace_line *line, struct trace_line *ret);

/* The exit was judged: what became of the access? */
enum outcome sim_judged(const struct sim *sim, const struct sim_vcpu *vcpu,
			bool gp);

/*
 * An exit, and the vCPU's way back to the instruction's end: what the exit has changed is
 * looked at there, as the guest runs on.
 */
void sim_come_and_go(struct sim_vcpu *vcpu);

/* An access to an MSR. Returns 0 or -ENOMEM. */
int sim_do_msr(struct sim *sim, struct sim_vcpu *vcpu,
	       const struct trace_line *line);

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
