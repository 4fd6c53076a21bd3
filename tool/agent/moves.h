/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where does a VM's state go? What was taken out of an armed VM, none of whose vCPUs
 * then ran on, has to come under regpin somewhere else: the agent there says so, by the
 * request `arrived`. Else that is an alarm here.
 */
#ifndef REGPIN_TOOL_MOVES_H
#define REGPIN_TOOL_MOVES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "handoff.h"

#include "ctl/ctl_request.h"
#include "ctl/ctl_socket.h"

struct agent;

/* How long a VM stands still before its state counts as gone, and how much longer than
 * the VMM the agent waits at most to be told where it went. */
#define MOVES_STANDS_MS	10000u
#define MOVES_ENDED_MS	5000u

/* How long an arrival is kept: it comes about when the state is taken out. */
#define MOVES_ARRIVED_MS	10000u
#define MOVES_ARRIVALS	16u

/* A state is told of when no more was written for so long, and so often at most. */
#define MOVES_QUIET_MS	100u
#define MOVES_AGAIN_MS	500u

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
 * @left: that nobody has taken it over has been told
 * @moved: that somebody has
 */
struct departure {
	struct print state;
	uint64_t since;
	bool left, moved;
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
 * @told: the one that others have been told of
 * @at: when @state was first seen
 */
struct loading {
	struct print state, told;
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

/* What has become of a departure: news, each told once. */
enum move {
	MOVE_NONE,
	MOVE_MOVED,	/* @arrival says where to */
	MOVE_LEFT,	/* nobody took it over in time */
};

/* Looks at VM slot @i, whose state @taken was taken out, if there is one. Pure. */
enum move moves_look(struct moves *moves, unsigned int i, struct print taken,
		     uint64_t now, struct arrival *arrival);

/* The same for what was loaded. Returns true if it is time to tell the others. */
bool moves_loaded(struct moves *moves, unsigned int i, struct print loaded,
		  uint64_t now);

/* Another agent's word. */
void moves_arrived(struct moves *moves, const struct ctl_request *request,
		   uint32_t pid, uint64_t now);

/* For how many ms there is nothing to do, or -1. */
int moves_sleep(const struct moves *moves, uint64_t now);

/* A fingerprint of what a policy says, whatever its file is called. */
uint64_t moves_rules(const struct regpin_policy *policy);

/* Does all there is to do now. */
void moves_run(struct agent *agent, uint64_t now);

/* The VMM has ended: is there still a state whose whereabouts may become known? */
bool moves_wait(struct agent *agent, uint64_t now);

/*
 * moves_send.c: sends @line to all agents in the directory of @own, and hears their
 * answers, in a process of its own that ends soon. Returns its id, or -1.
 */
pid_t moves_send(const struct ctl_socket *own, const char *line);

#endif
