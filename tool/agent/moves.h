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

#include "ctl/ctl_request.h"
#include "moves_state.h"

struct agent;

/* How long a VM stands still before its state counts as gone, and how much longer than
 * the VMM the agent waits at most to be told where it went. */
#define MOVES_STANDS_MS	10000u
#define MOVES_ENDED_MS	5000u

/* A state is told of when no more was written for so long, and so often at most. */
#define MOVES_QUIET_MS	100u
#define MOVES_AGAIN_MS	500u

/* What has become of a departure: news, each told once. */
enum move {
	MOVE_NONE,
	MOVE_MOVED,	/* @arrival says where to */
	MOVE_LEFT,	/* nobody took it over in time */
};

/* Looks at VM slot @i, whose state @taken was taken out, if there is one. Pure. */
enum move moves_check_departure(struct moves *moves, unsigned int i, struct print taken,
				uint64_t now, struct arrival *arrival);

/* The same for what was loaded. Returns true if it is time to tell the others. */
bool moves_check_loading(struct moves *moves, unsigned int i, struct print loaded,
			 uint64_t now);

/* Another agent's word. */
void moves_add_arrival(struct moves *moves, const struct ctl_request *request,
		       uint32_t pid, uint64_t now);

/* For how many ms there is nothing to do, or -1. */
int moves_sleep(const struct moves *moves, uint64_t now);

/* A fingerprint of what a policy says, whatever its file is called. */
uint64_t moves_hash_rules(const struct regpin_policy *policy);

/* Does all there is to do now. */
void moves_run(struct agent *agent, uint64_t now);

/* The VMM has ended: is there still a state whose whereabouts may become known? */
bool moves_must_wait(struct agent *agent, uint64_t now);

#endif
