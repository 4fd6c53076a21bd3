// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that are taken out of VMs, and states that are loaded. All numbers come from shared
 * memory, which a compromised VMM may write, so they are only compared.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent_output.h"
#include "agent_state.h"
#include "launch_state.h"
#include "moves.h"
#include "moves_send.h"

static bool is_same(struct print a, struct print b)
{
	return a.regs == b.regs && a.clock == b.clock;
}

/* A clock of 0 matches any: some VMMs neither read nor write the clock. */
static bool matches(struct print a, struct print b)
{
	return a.regs == b.regs &&
	       (a.clock == b.clock || !a.clock || !b.clock);
}

/* Reads a fingerprint. If the VMM is changing it, the next call reads the rest. */
static struct print print_of(struct state_print *shared)
{
	struct print print = { .regs = atomic_load(&shared->regs) };

	if (print.regs)
		print.clock = atomic_load(&shared->clock);
	return print;
}

static bool is_fresh(const struct arrival *arrival, uint64_t now)
{
	return arrival->state.regs && now - arrival->at < MOVES_ARRIVED_MS;
}

/* Moves the arrival of @state to @ret. Returns false if there was none. */
static bool take_arrival(struct moves *moves, struct print state, uint64_t now,
			 struct arrival *ret)
{
	for (unsigned int i = 0; i < MOVES_ARRIVALS; i++) {
		struct arrival *arrival = &moves->arrivals[i];

		if (!is_fresh(arrival, now) || !matches(arrival->state, state))
			continue;
		*ret = *arrival;
		arrival->state.regs = 0;
		return true;
	}
	return false;
}

/* When a departure without an arrival is to be reported. */
static uint64_t due(const struct moves *moves, const struct departure *d)
{
	uint64_t stands = d->since + MOVES_STANDS_MS;
	uint64_t ended = moves->ended + MOVES_ENDED_MS;

	return moves->ended && ended < stands ? ended : stands;
}

enum move moves_check_departure(struct moves *moves, unsigned int i, struct print taken,
				uint64_t now, struct arrival *arrival)
{
	struct departure *d = &moves->departures[i];

	/* If the state differs, the VM has run on here, or another state was taken out. */
	if (!is_same(d->state, taken))
		*d = (struct departure){ .state = taken, .since = now };
	if (!d->state.regs || d->moved_reported)
		return MOVE_NONE;
	/* An arrival is reported even after `left`, as it ends the alarm. */
	if (take_arrival(moves, d->state, now, arrival)) {
		d->moved_reported = true;
		return MOVE_MOVED;
	}
	if (d->left_reported || now < due(moves, d))
		return MOVE_NONE;
	d->left_reported = true;
	return MOVE_LEFT;
}

bool moves_check_loading(struct moves *moves, unsigned int i, struct print loaded,
			 uint64_t now)
{
	struct loading *l = &moves->loadings[i];

	if (!is_same(l->state, loaded)) {
		l->state = loaded;
		l->at = now;
	}
	/* vCPUs are loaded one after the other, and only the last one completes the state. */
	if (!l->state.regs || is_same(l->state, l->announced) ||
	    now - l->at < MOVES_QUIET_MS || moves->sender ||
	    (moves->sent && now - moves->sent < MOVES_AGAIN_MS))
		return false;
	l->announced = l->state;
	moves->sent = now;
	return true;
}

void moves_add_arrival(struct moves *moves, const struct ctl_request *request,
		       uint32_t pid, uint64_t now)
{
	struct arrival *arrival =
		&moves->arrivals[moves->nr_arrivals++ % MOVES_ARRIVALS];

	*arrival = (struct arrival){
		.state = { request->state, request->clock },
		.rules = request->rules, .pid = pid, .at = now,
	};
	snprintf(arrival->name, sizeof(arrival->name), "%.*s",
		 CTL_NAME_MAX - 1, request->name);
}

int moves_sleep(const struct moves *moves, uint64_t now)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		const struct departure *d = &moves->departures[i];
		const struct loading *l = &moves->loadings[i];

		if (d->state.regs && !d->moved_reported && !d->left_reported &&
		    due(moves, d) < first)
			first = due(moves, d);
		/* The end of the sender does not wake the loop. */
		if (!is_same(l->state, l->announced) && now + MOVES_QUIET_MS < first)
			first = now + MOVES_QUIET_MS;
	}
	if (first == UINT64_MAX)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

uint64_t moves_hash_rules(const struct regpin_policy *policy)
{
	static struct regpin_policy plain;
	static unsigned char blob[BLOB_MAX_SIZE];
	uint64_t hash = 0xcbf29ce484222325ull;
	size_t len;

	policy_copy(&plain, policy);
	plain.number = 0;
	memset(plain.source, 0, sizeof(plain.source));
	memset(plain.bases, 0, sizeof(plain.bases));
	for (uint32_t i = 0; i < plain.nr_rules; i++)
		plain.rules[i].line = plain.rules[i].column = 0;
	for (uint32_t i = 0; i < plain.nr_whens; i++)
		plain.whens[i].line = plain.whens[i].column = 0;
	len = blob_seal(&plain, blob);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ blob[i]) * 0x100000001b3ull;
	return hash ? hash : 1;
}

static void report_moved(struct agent *agent, uint32_t vm,
			 const struct arrival *arrival)
{
	bool same = arrival->rules == moves_hash_rules(&agent->launch->policy);
	struct agent_event event = {
		.type = "moved", .vm = &vm, .to = arrival->name,
		.rules = same ? "same" : "other", .pid = arrival->pid,
	};

	if (!same)
		event.text = "the policy in force there differs from the one here, or that host can enforce more or less of it";
	agent_report(agent, &event);
}

static void report_left(struct agent *agent, uint32_t vm)
{
	static const char stands[] = "the VM's whole state was taken out (migrated, or saved), the VM has not continued here, and no other agent has reported that it loaded the state: where the VM continues, it may run without pins. If it was migrated, check whether the destination is under regpin, and stop the VM there if it is not; if it was saved, load its state under 'regpin run' only";
	static const char ended[] = "the VM's whole state was taken out (migrated, or saved) before the VMM ended, and no other agent has reported that it loaded the state: where the VM continues, it may run without pins. If it was migrated, check whether the destination is under regpin, and stop the VM there if it is not; if it was saved, load its state under 'regpin run' only";
	struct agent_event event = {
		.type = "left", .vm = &vm, .for_hook = true,
		.reason = agent->moves.ended ? "ended" : "stands",
		.text = agent->moves.ended ? ended : stands,
	};

	agent_report(agent, &event);
	agent_log(agent, "warning: VM %u: %s", vm, event.text);
}

static void announce_loaded(struct agent *agent, struct print state)
{
	const struct ctl_socket *own = &agent->ctl.socket;
	char line[CTL_LINE_MAX], clock[32] = "";

	if (own->fd < 0)
		return;
	if (state.clock)
		snprintf(clock, sizeof(clock), " clock=0x%llx",
			 (unsigned long long)state.clock);
	snprintf(line, sizeof(line), "arrived state=0x%llx%s rules=0x%llx from=%s\n",
		 (unsigned long long)state.regs, clock,
		 (unsigned long long)moves_hash_rules(&agent->launch->policy),
		 own->name);
	agent->moves.sender = moves_send(own, line);
	if (agent->moves.sender < 0) {
		agent->moves.sender = 0;
		agent_log(agent, "warning: other agents are not notified that this VM was loaded here: no process could be started for that");
	}
}

void moves_run(struct agent *agent, uint64_t now)
{
	struct handoff *shared = agent->launch->shared;
	struct moves *moves = &agent->moves;
	struct arrival arrival;

	if (moves->sender && waitpid(moves->sender, NULL, WNOHANG))
		moves->sender = 0;
	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		struct vm_status *vm = &shared->vms[i];
		struct print loaded = print_of(&vm->state.loaded);

		switch (moves_check_departure(moves, i, print_of(&vm->state.taken), now,
					      &arrival)) {
		case MOVE_MOVED:
			report_moved(agent, vm->vm, &arrival);
			break;
		case MOVE_LEFT:
			report_left(agent, vm->vm);
			break;
		case MOVE_NONE:
			break;
		}
		if (moves_check_loading(moves, i, loaded, now))
			announce_loaded(agent, loaded);
	}
}

bool moves_must_wait(struct agent *agent, uint64_t now)
{
	struct moves *moves = &agent->moves;
	bool waits = false;

	if (!moves->ended)
		moves->ended = now ? now : 1;
	/* States that were taken out last have not been checked yet. */
	moves_run(agent, now);
	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		const struct departure *d = &moves->departures[i];

		waits |= d->state.regs && !d->left_reported && !d->moved_reported;
	}
	if (waits)
		ctl_give_up_name(&agent->ctl.socket);
	return waits;
}
