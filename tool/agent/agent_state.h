/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's state. */
#ifndef REGPIN_TOOL_AGENT_STATE_H
#define REGPIN_TOOL_AGENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/policy.h"

#include "budget.h"
#include "ctl_state.h"
#include "event/event_tail.h"
#include "hook_state.h"
#include "limit_rows.h"
#include "moves_state.h"
#include "outage_state.h"
#include "pauses.h"
#include "rule_counts_state.h"
#include "standby_state.h"
#include "timed_state.h"
#include "watch.h"

#define AGENT_HOST_MAX	65	/* HOST_NAME_MAX, with its NUL */

struct launch;
struct out;

#define AGENT_POLICIES	8
#define AGENT_NAMES	(AGENT_POLICIES + 2)	/* one in force, one on its way */

/**
 * struct policies - policies besides the one in force, to be found by their numbers
 * @given: the highest number that a policy was given
 * @list: policies that were replaced, or that were in force in some VMs only, or only for
 *	a moment; number 0: a free place
 * @names: the keys by which lines name these, the one in force, and the one on its way
 */
struct policies {
	uint32_t given;
	struct regpin_policy list[AGENT_POLICIES];
	struct event_policy names[AGENT_NAMES];
};

/**
 * struct agent - what the agent knows
 * @launch: what it was started with
 * @events: where the lines of JSON go; may be the same as @messages
 * @messages: stderr, until the first process has ended; see agent_release_stderr()
 * @released: stderr has been closed
 * @start: a socket to the launcher, which sends messages and a byte 0 if its exec failed;
 *	it is closed by a successful exec
 * @watch: the processes
 * @begun: when it began, in ms of CLOCK_MONOTONIC
 * @attached: handoff->attached when it was last read
 * @attached_at: when it was first seen above 0
 * @check_at: when the guard next checks the watched processes, with a VM attached
 * @check_all_at: when it next checks all processes of the host
 * @limit: which events get a line of their own
 * @budget: how many lines all VMs together may cause
 * @reopened: how often the file of events was opened again
 * @dropped_at: when dropped events were last reported
 * @tick_ms: how often the guard checks until a VM is attached
 * @s3_unknown: hashes of the texts that have been reported about S3, so that each is
 *	reported once; 0: a free place
 * @crowd_reported: an event has reported more processes than the agent can watch
 * @killed: a process was killed, for a VM without its policy or for having no VM in time
 * @refusal_reported: an event has reported the shim's refusal
 * @armed: a vCPU has been armed
 * @unarmed_reported: an event has reported that no vCPU was armed in time
 * @failure_reported: a message has reported that events can't be written, since the last
 *	time at which they could
 * @violations: violations that were stopped
 * @reports: violations that were let pass
 * @rule_counts: the counters of each rule
 * @pauses: violations that wait for an answer, and are not counted yet
 * @detected: violations that were found after they had happened
 * @dropped: events that found the ring full
 * @unnamed: dropped events of which only the number is known
 * @nonsense: events in the ring that regpin's library never makes
 * @policies: policies besides the one in force, by their numbers
 * @moves: states that were taken out of VMs here, and states that were loaded
 * @ctl: the server side of `regpin ctl`
 * @seq: number of the last line
 * @vmm_pid: the process that @origin names
 * @origin: the keys that all lines have about the VM, the host and the VMM's process
 * @host: the host's name
 * @standby: the process that takes over if this one dies
 * @outage: times in which events can't be written
 * @timed: answers that the agent gives to held vCPUs
 * @hook: the operator's program that gets lines of events
 */
struct agent {
	struct launch *launch;
	struct out *events, *messages;
	bool released;
	int start;
	struct watch watch;
	uint64_t begun;
	uint32_t attached;
	uint64_t attached_at, check_at, check_all_at, dropped_at, reopened;
	struct limit limit;
	struct budget budget;
	int tick_ms;
	bool crowd_reported;
	uint64_t s3_unknown[16];
	bool killed, refusal_reported, armed, unarmed_reported, failure_reported;
	uint64_t violations, reports, detected, dropped, unnamed, nonsense;
	struct rule_counts rule_counts;
	struct pauses pauses;
	struct policies policies;
	struct moves moves;
	struct ctl ctl;
	uint64_t seq;
	uint32_t vmm_pid;
	char origin[ORIGIN_MAX];
	char host[AGENT_HOST_MAX];
	struct standby standby;
	struct outage outage;
	struct hook hook;
	struct timed timed;
};

#endif
