/* SPDX-License-Identifier: GPL-2.0-only */
/* A simulation, and what came of its last line. */
#ifndef REGPIN_TOOL_SIM_STATE_H
#define REGPIN_TOOL_SIM_STATE_H

#include "regpin/regpin.h"

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

#endif
