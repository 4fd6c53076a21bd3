/* SPDX-License-Identifier: GPL-2.0-only */
/* A simulation, and the outcome of its last line. */
#ifndef REGPIN_TOOL_SIM_STATE_H
#define REGPIN_TOOL_SIM_STATE_H

#include "regpin/regpin.h"

#include "sim_kvm.h"
#include "trace.h"

#define SIM_EVENTS	64

/**
 * struct sim_result - the result of a line
 * @outcome: enum outcome
 * @has_value: @value is valid
 * @value: the value that the read returned, or that the register has afterwards
 * @violated: @violation is valid
 * @violation: REGPIN_EVENT_VIOLATION or REGPIN_EVENT_DETECTED
 * @polled: the write was not stopped, as this KVM has no CR filter, and @would is valid
 * @would: REGPIN_EVENT_DETECTED, the event that the next poll will report
 * @no_cpu: the reason why no CPU accepts the access, whatever @outcome is, or NULL
 * @armed: a vCPU was armed by this line or an earlier one
 * @answered: the outcome is the operator's answer
 * @nr: number of @events
 * @lost: there were more events
 * @events: other events that the line caused
 */
struct sim_result {
	enum outcome outcome;
	bool has_value;
	uint64_t value;
	bool violated;
	struct regpin_event violation;
	bool polled;
	struct regpin_event would;
	const char *no_cpu;
	bool armed, answered;
	unsigned int nr;
	bool lost;
	struct regpin_event events[SIM_EVENTS];
};

/**
 * struct sim - a simulation
 * @policy: the policy, fitted to the host
 * @vm: the VM of the library
 * @kvm: the VM of the simulated KVM
 * @result: the result of the last line
 */
struct sim {
	const struct regpin_policy *policy;
	const struct guest *guest;	/* its CPUID; NULL: of no vendor */
	struct regpin_vm *vm;
	struct sim_kvm kvm;
	struct sim_result result;
};

#endif
