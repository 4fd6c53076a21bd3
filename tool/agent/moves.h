/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Follows the state of migrated and saved VMs. If the whole state of an armed VM was read,
 * and none of its vCPUs ran on, the VM may continue elsewhere. If it is loaded under regpin
 * there, that agent sends the request `arrived` to the other agents, and this one reports
 * `moved`; otherwise this one reports `left`, which is an alarm.
 */
#ifndef REGPIN_TOOL_MOVES_H
#define REGPIN_TOOL_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl_request.h"
#include "moves_state.h"

struct agent;

/*
 * How long a VM has to stand still before its state counts as gone, and how long the agent
 * waits for `arrived` after the VMM has ended.
 */
#define MOVES_STANDS_MS	10000u
#define MOVES_ENDED_MS	5000u

/* A loaded state is announced when it was unchanged for QUIET, and once in AGAIN at most. */
#define MOVES_QUIET_MS	100u
#define MOVES_AGAIN_MS	500u

/* A change to report about a departure; each is returned once. */
enum move {
	MOVE_NONE,
	MOVE_MOVED,	/* the state was loaded under the agent in @arrival */
	MOVE_LEFT,	/* no agent has reported an arrival in time */
};

/* Checks VM slot @i, whose state @taken was taken out, if it is not zero. Pure. */
enum move moves_check_departure(struct moves *moves, unsigned int i, struct print taken,
				uint64_t now, struct arrival *arrival);

/* The same for a loaded state. Returns true if it is to be announced to other agents. */
bool moves_check_loading(struct moves *moves, unsigned int i, struct print loaded,
			 uint64_t now);

/* Notes the request `arrived` of another agent. */
void moves_add_arrival(struct moves *moves, const struct ctl_request *request,
		       uint32_t pid, uint64_t now);

/* Milliseconds until something is to be done, or -1 if nothing is. */
int moves_sleep(const struct moves *moves, uint64_t now);

/* A hash of a policy's content, without names and places of files. */
uint64_t moves_hash_rules(const struct regpin_policy *policy);

/* Reports departures, and announces loaded states, as far as that is due. */
void moves_run(struct agent *agent, uint64_t now);

/* The VMM has ended: is there a departure about which another agent may still report? */
bool moves_must_wait(struct agent *agent, uint64_t now);

#endif
