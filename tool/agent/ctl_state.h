/* SPDX-License-Identifier: GPL-2.0-only */
/* The clients of `regpin ctl`, and the command that the VMM's process carries out. */
#ifndef REGPIN_TOOL_CTL_STATE_H
#define REGPIN_TOOL_CTL_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"

#include "ctl/ctl_request.h"
#include "ctl/ctl_socket.h"
#include "ctl_conn.h"
#include "ctl_log.h"
#include "policy/policy_mode.h"
#include "policy/policy_written.h"
#include "policy/rule_modes.h"

struct agent;
struct ctl_proposal;

#define CTL_CLIENTS	16u
#define CTL_FOLLOWERS	12u	/* of them: others can still send requests */
#define CTL_POLLS	(CTL_CLIENTS + 1u)	/* files that ctl_poll() fills in */

#define CTL_IDLE_MS	60000u	/* for a client without a request */
#define CTL_STALLED_MS	5000u	/* for one that takes no output, if others wait */
#define CTL_ANSWER_MS	5000u	/* for a VMM to carry out a command */
#define CTL_POLICY_MS	30000u	/* for a VMM to take a new policy */
#define CTL_TICK_MS	50	/* between checks for the VMM's answer */

/**
 * struct vmm_command - the command that the VMM's process carries out
 * @given: a command was sent and has not been answered
 * @own: no client has given it: the agent takes back a policy that was not confirmed
 * @expired: its time is over: it was withdrawn, and its client got an error
 * @number: its number, as in control->request
 * @kind: which command it is
 * @vm: the VM that it is for, or CONTROL_ALL_VMS
 * @begun: when it was sent, in ms
 * @deadline: when it expires, in ms
 * @request: the client's request
 * @client: the client's id; the client may have left
 * @uid: the client's user
 * @pid: the client's process
 * @timed: there is no client: the time of --answer-after is over
 * @slot: with @timed: the vCPU's slot in struct handoff
 * @hold: CONTROL_ANSWER: the hold that it ends, or 0
 * @detected: the agent's count of detected violations when the command was sent
 * @proposal: CONTROL_POLICY: the policy
 */
struct vmm_command {
	bool given, own, expired, timed;
	unsigned int slot;
	uint64_t hold;
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
 * @vm: the VM's number, or CONTROL_ALL_VMS
 * @until: when it ends, in ms; 0: there is no window
 * @once: it also ends when a kernel writes LSTAR
 */
struct ctl_window {
	uint32_t vm;
	uint64_t until;
	bool once;
};

/**
 * struct ctl_back - a policy that was in force, and can be put in force again
 * @written: the policy; its text is NULL if there is none
 * @mode: the operator's mode that was in force with it
 * @modes: the operator's modes of single rules that were in force with it
 */
struct ctl_back {
	struct policy_written written;
	enum policy_mode mode;
	struct rule_modes modes;
};

/**
 * struct ctl_trial - a policy that is in force for a time only, unless it is confirmed
 * @back: the previous policy
 * @until: when it is taken back, in ms; 0: there is none
 * @try_at: when the agent tries that next
 * @tries: how often that has failed
 * @sent: the command that takes it back has been sent
 * @stuck_reported: an event has reported that an earlier command delays that command
 * @uid: the user of the client that applied it
 * @pid: the client's process
 */
struct ctl_trial {
	struct ctl_back back;
	uint64_t until, try_at;
	unsigned int tries;
	bool sent, stuck_reported;
	uint32_t uid, pid;
};

/**
 * struct ctl - the server side of `regpin ctl`
 * @agent: the agent that it belongs to
 * @socket: the listening socket
 * @uid: the user that may connect, besides root
 * @log: the last lines of events
 * @clients: number of clients since the start
 * @tickets: number of clients that have waited in the queue
 * @accept_at: when to accept again, after the file table was full
 * @ended: the VMM has ended, so no more commands are sent
 * @denied: refused peers that no event has reported yet
 * @denied_at: when refused peers were last reported
 * @number: the number of the last command
 * @policies: how often the policy in force has changed
 * @command: the command that the VMM's process carries out
 * @previous: the previous policy
 * @trial: whether the policy in force has to be confirmed
 * @windows: open windows, as far as the agent knows
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
	struct ctl_back previous;
	struct ctl_trial trial;
	struct ctl_window windows[STATUS_VMS];
	struct ctl_conn conns[CTL_CLIENTS];
};

#endif
