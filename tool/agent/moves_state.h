/* SPDX-License-Identifier: GPL-2.0-only */
/* States that were taken out of VMs, and states that were loaded. */
#ifndef REGPIN_TOOL_MOVES_STATE_H
#define REGPIN_TOOL_MOVES_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "handoff.h"

#include "ctl/ctl_socket.h"

/* How long an arrival is kept: it may be reported shortly before the state is taken out. */
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
 * @left_reported: an event has reported that no agent has announced its arrival
 * @moved_reported: an event has reported which agent has announced it
 */
struct departure {
	struct print state;
	uint64_t since;
	bool left_reported, moved_reported;
};

/**
 * struct arrival - a state that another agent has announced
 * @state: its fingerprint; zero: a free slot
 * @rules: moves_hash_rules() of the policy in force there
 * @at: when it was announced, in ms
 * @pid: the process that announced it
 * @name: the name of the VM there
 */
struct arrival {
	struct print state;
	uint64_t rules, at;
	uint32_t pid;
	char name[CTL_NAME_MAX];
};

/**
 * struct loading - a state that was loaded into a VM
 * @state: its fingerprint when it was last read
 * @announced: the fingerprint that was last sent to other agents
 * @at: when @state was first seen
 */
struct loading {
	struct print state, announced;
	uint64_t at;
};

/**
 * struct moves - states of all VMs, by the slots of handoff->vms
 * @departures: states that were taken out
 * @loadings: states that were loaded
 * @arrivals: announcements of other agents, a ring
 * @nr_arrivals: number of announcements so far
 * @ended: when the VMM ended, in ms; 0: it runs
 * @sender: the process that announces a loaded state, or 0
 * @sent: when that process was started, in ms
 */
struct moves {
	struct departure departures[STATUS_VMS];
	struct loading loadings[STATUS_VMS];
	struct arrival arrivals[MOVES_ARRIVALS];
	uint64_t nr_arrivals, ended, sent;
	pid_t sender;
};

#endif
