/* SPDX-License-Identifier: GPL-2.0-only */
/* All that the start of a VMM needs, and later its agent. */
#ifndef REGPIN_TOOL_LAUNCH_STATE_H
#define REGPIN_TOOL_LAUNCH_STATE_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "handoff.h"
#include "lib/kvm/host.h"
#include "lib/policy/policy.h"

#include "ctl/ctl_socket.h"
#include "give_state.h"
#include "out.h"
#include "policy/policy_mode.h"
#include "policy/policy_written.h"
#include "policy/store_start.h"
#include "policy/store_state.h"
#include "policy/rule_modes.h"
#include "policy/rule_table.h"

/**
 * struct launch - the start of a VMM under a policy
 * @vmm: path of the VMM's program, with a '/' in it
 * @argv: its arguments
 * @shim: path of the preload object
 * @host: the capabilities of this host
 * @written: the policy in force as its owner wrote it
 * @warnings: about the policy's text, until they are printed
 * @store: where the texts of policies are kept
 * @policy_path: the policy as --policy names it
 * @start_file: the name of the file in @store that records its starts, or ""
 * @base_change: a base that has changed since the policy was last started
 * @mode: the operator's mode: --mode, or the last one of `regpin ctl NAME mode`
 * @rule_modes: the operator's modes of single rules of @written
 * @table: all rules of @written, with those that this host leaves out
 * @policy: the policy in force as the shim gets it, to whose rules events refer
 * @degraded: the optional rules that this host can't enforce; those with
 *	RULE_DETECT are polled
 * @degraded_why: a constant text for each of them
 * @nr_degraded: number of @degraded
 * @init_why: why the policy's `init` can't be done, or NULL
 * @timeout_ms: within which there must be a VM, 0 for no limit
 * @event_limit: lines a second for one cause, 0 for no limit
 * @event_total: lines an hour for repeats in one VM, 0 for no limit
 * @events: where events go
 * @events_name: the name that the user gave for it, or NULL for stderr
 * @events_path: SINK_FILE: its absolute path, for `regpin ctl NAME reopen`; otherwise empty
 * @events_only: stderr is for events, so that messages are events as well
 * @seq: number of the last line of events that `run` wrote itself
 * @agent: a socket to the agent, from its start on; otherwise -1
 * @name: the VM's name, NULL for the VMM's process id
 * @ctl: the directory of its socket, NULL for the default
 * @no_ctl: there is to be no socket for commands
 * @hook: the program of --hook, or NULL
 * @answer_ms: the time after which the agent answers for a held vCPU, 0: never
 * @answer: REGPIN_GP or REGPIN_STOP, with @answer_ms; see timed_answer()
 * @vmm_user: --vmm-user, if @has_vmm_user
 * @socket: the socket for commands
 * @give: the sockets by which the VMM asks for its policy
 * @memory: fd of @shared
 * @shared: the memory that the shim and the agent both write
 * @orders: fd of @control
 * @control: the agent's commands, which no other process can write
 * @wake: eventfd that wakes the agent's loop
 * @seen: a file to which the agent writes a byte when there is a VM, or -1
 * @lifeline: a pipe: the agent has the read end [0], the VMM the other
 */
struct launch {
	char vmm[PATH_MAX];
	char **argv;
	char shim[PATH_MAX];
	struct host host;
	struct policy_written written;
	struct problems *warnings;
	struct store store;
	const char *policy_path;
	char start_file[STORE_START_NAME];
	struct base_change base_change;
	enum policy_mode mode;
	struct rule_modes rule_modes;
	struct rule_table table;
	struct regpin_policy policy;
	struct rule degraded[POLICY_MAX_RULES];
	const char *degraded_why[POLICY_MAX_RULES];
	unsigned int nr_degraded;
	const char *init_why;
	unsigned int timeout_ms, event_limit, event_total, answer_ms;
	uint32_t answer;
	struct out events;
	const char *events_name;
	char events_path[PATH_MAX];
	const char *name, *ctl, *hook;
	bool events_only, no_ctl, has_vmm_user;
	int agent;
	uint64_t seq;
	struct ctl_socket socket;
	struct give give;
	uid_t vmm_user;
	int memory, orders, wake;
	struct handoff *shared;
	struct control *control;
	int seen;
	int lifeline[2];
};

#endif
