/* SPDX-License-Identifier: GPL-2.0-only */
/* Who commands the agent, and which command is in hand. */
#ifndef REGPIN_TOOL_CTL_STATE_H
#define REGPIN_TOOL_CTL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"

#include "ctl/ctl_request.h"
#include "ctl/ctl_socket.h"
#include "ctl_conn.h"
#include "ctl_log.h"

struct agent;
struct ctl_proposal;

#define CTL_CLIENTS	16u
#define CTL_FOLLOWERS	12u	/* of them: somebody must be able to command */
#define CTL_POLLS	(CTL_CLIENTS + 1u)	/* fds that ctl_poll() names */

#define CTL_IDLE_MS	60000u	/* then a client without a request is closed */
#define CTL_STALLED_MS	5000u	/* then one that takes nothing makes way for others */
#define CTL_ANSWER_MS	5000u	/* for a VMM to carry out a command */
#define CTL_POLICY_MS	30000u	/* and a new policy */
#define CTL_TICK_MS	50	/* a VMM that can't wake us is looked at so often */

/**
 * struct vmm_command - the command that the VMM's process has in hand
 * @given: there is one
 * @expired: its time is over, its client has been told, and it was withdrawn
 * @number: of the command, in control->request
 * @kind: which command it is
 * @vm: for which VM, or CONTROL_ALL_VMS
 * @begun: when it was given, in ms
 * @deadline: when it expires
 * @request: what the client said
 * @client: which client it was; it may be gone
 * @uid: whose it is
 * @pid: likewise
 * @detected: the agent's number of detected violations, when it was given
 * @proposal: CONTROL_POLICY: the policy
 */
struct vmm_command {
	bool given, expired;
	uint32_t number;
	enum control_command kind;
	uint32_t vm;
	uint64_t begun, deadline;
	struct ctl_request request;
	uint64_t client;
	uint32_t uid, pid;
	uint64_t detected;
	struct ctl_proposal *proposal;
};

/**
 * struct ctl_window - when a VM's window ends, as far as the agent knows
 * @vm: its number, or CONTROL_ALL_VMS
 * @until: in ms; 0: none
 * @once: it ends with the first LSTAR, too
 */
struct ctl_window {
	uint32_t vm;
	uint64_t until;
	bool once;
};

/**
 * struct ctl - it
 * @agent: whose it is
 * @socket: where it listens
 * @uid: who may connect, beside root
 * @log: the last lines of events
 * @clients: how many there were
 * @tickets: how many have waited in the queue
 * @accept_at: when to accept again, after there were no file numbers left
 * @ended: the VMM has: nothing is given to it any more
 * @denied: peers that were turned away and not told yet
 * @denied_at: when the last was told
 * @number: of the last command
 * @policies: how often the policy in force has changed
 * @command: what the VMM's process has in hand
 * @windows: those that were opened
 * @conns: the clients
 */
struct ctl {
	struct agent *agent;
	struct ctl_socket socket;
	uint32_t uid;
	struct ctl_log log;
	uint64_t clients, tickets, accept_at;
	bool ended;
	uint64_t denied, denied_at;
	uint32_t number;
	uint64_t policies;
	struct vmm_command command;
	struct ctl_window windows[STATUS_VMS];
	struct ctl_conn conns[CTL_CLIENTS];
};

#endif
