/* SPDX-License-Identifier: GPL-2.0-only */
/* The states that left a VM, and those that came. */
#ifndef REGPIN_TOOL_MOVES_STATE_H
#define REGPIN_TOOL_MOVES_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "handoff.h"

#include "ctl/ctl_socket.h"

/* How long an arrival is kept: it comes about when the state is taken out. */
#define MOVES_ARRIVED_MS	10000u
#define MOVES_ARRIVALS	16u

/**
 * struct print - a fingerprint, see struct state_print
 * @regs: 0: there is no state
 * @clock: 0: it is not known
 */
struct print {
	uint64_t regs, clock;
};

/**
 * struct departure - a state that was taken out of a VM
 * @state: its fingerprint
 * @since: when it was first seen, in ms
 * @left_reported: an event has reported that no agent took it over
 * @moved_reported: an event has reported which agent took it over
 */
struct departure {
	struct print state;
	uint64_t since;
	bool left_reported, moved_reported;
};

/**
 * struct arrival - a state that another agent has told of
 * @state: its fingerprint; none: a free slot
 * @rules: a fingerprint of the policy there
 * @at: when, in ms
 * @pid: who said it
 * @name: the VM there
 */
struct arrival {
	struct print state;
	uint64_t rules, at;
	uint32_t pid;
	char name[CTL_NAME_MAX];
};

/**
 * struct loading - a state that was loaded into a VM
 * @state: its fingerprint, as last seen
 * @announced: the fingerprint that was last sent to other agents
 * @at: when @state was first seen
 */
struct loading {
	struct print state, announced;
	uint64_t at;
};

/**
 * struct moves - all of them, by the slots of handoff->vms
 * @departures: out
 * @loadings: in
 * @arrivals: what other agents said, in turn
 * @nr_arrivals: how many that were
 * @ended: when the VMM had ended; 0: not yet
 * @sender: the process that tells the others, or 0
 * @sent: when that began
 */
struct moves {
	struct departure departures[STATUS_VMS];
	struct loading loadings[STATUS_VMS];
	struct arrival arrivals[MOVES_ARRIVALS];
	uint64_t nr_arrivals, ended, sent;
	pid_t sender;
};

#endif
