// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status of vCPUs is in memory that the VMM's processes write. The time of a hold is
 * counted from the moment at which the agent notices the hold. A compromised process can
 * claim holds. Then the agent gives it answers, each one only after the process has carried
 * out the previous one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "launch_state.h"
#include "timed.h"

#define LOOK_MS		50	/* between checks, soon after an event */
#define SOON_MS		1000
#define AGAIN_MS	60000	/* from an answer that failed to the next one */

int timed_begin(struct agent *agent)
{
	void *at;

	agent->timed = (struct timed){ .holds = NULL };
	if (!agent->launch->answer_ms)
		return 0;
	at = mmap(NULL, STATUS_VCPUS * sizeof(struct timed_hold), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -1;
	agent->timed.holds = at;
	return 0;
}

void timed_expect(struct agent *agent, uint64_t now)
{
	agent->timed.look_until = now + SOON_MS;
}

static void update(struct timed_hold *hold, const struct vcpu_status *vcpu, uint64_t now)
{
	uint64_t event;

	if (!(atomic_load(&vcpu->flags) & STATUS_HELD)) {
		atomic_store(&hold->since, 0);
		return;
	}
	event = __atomic_load_n(&vcpu->held.time, __ATOMIC_RELAXED);
	if (atomic_load(&hold->since) && atomic_load(&hold->event) == event)
		return;
	atomic_store(&hold->event, event);
	atomic_store(&hold->again, 0);
	atomic_store(&hold->since, now ? now : 1);
}

void timed_run(struct agent *agent, uint64_t now)
{
	const struct vcpu_status *vcpus = agent->launch->shared->vcpus;

	for (unsigned int i = 0; agent->timed.holds && i < STATUS_VCPUS; i++)
		update(&agent->timed.holds[i], &vcpus[i], now);
}

/* When the hold is to be answered, or UINT64_MAX. */
static uint64_t due_of(const struct agent *agent, unsigned int slot)
{
	const struct timed_hold *hold = &agent->timed.holds[slot];
	uint64_t since = atomic_load(&hold->since), again = atomic_load(&hold->again);

	if (!since)
		return UINT64_MAX;
	return again ? again : since + agent->launch->answer_ms;
}

/* The slot that is due first, of all slots. */
static uint64_t find_first(const struct agent *agent, unsigned int *slot)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; agent->timed.holds && i < STATUS_VCPUS; i++) {
		uint64_t due = due_of(agent, i);

		if (due < first) {
			first = due;
			*slot = i;
		}
	}
	return first;
}

bool timed_find(const struct agent *agent, uint64_t now, unsigned int *slot)
{
	return find_first(agent, slot) <= now;
}

enum regpin_action timed_answer(const struct agent *agent, const struct regpin_event *held)
{
	return agent->launch->answer == REGPIN_GP &&
			       (held->type == REGPIN_EVENT_VIOLATION ||
				held->type == REGPIN_EVENT_DETECTED) ?
		       REGPIN_GP : REGPIN_STOP;
}

void timed_failed(struct agent *agent, unsigned int slot, uint64_t now)
{
	atomic_store(&agent->timed.holds[slot].again, now + AGAIN_MS);
}

int timed_sleep(const struct agent *agent, uint64_t now)
{
	unsigned int slot;
	uint64_t due;

	if (!agent->timed.holds)
		return -1;
	if (now < agent->timed.look_until)
		return LOOK_MS;
	due = find_first(agent, &slot);
	/* The agent is busy with a command, which ctl_poll() waits for, if one is overdue. */
	if (due == UINT64_MAX || agent->ctl.command.given)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

/* The milliseconds that are left to an operator. Returns false if the slot has no time. */
static bool left_of(const struct agent *agent, unsigned int slot, uint64_t now,
		    uint64_t *ms)
{
	uint64_t due = agent->timed.holds ? due_of(agent, slot) : UINT64_MAX;

	if (due == UINT64_MAX)
		return false;
	*ms = due > now ? due - now : 0;
	return true;
}

void timed_put_status(struct json *json, const struct agent *agent, unsigned int slot,
		      const struct regpin_event *held, uint64_t now)
{
	uint64_t left;

	if (!left_of(agent, slot, now, &left))
		return;
	json_string(json, "answer", regpin_action_names[timed_answer(agent, held)]);
	json_u64(json, "left_ms", left);
}

void timed_text(char *text, size_t size, const struct agent *agent, unsigned int slot,
		const struct regpin_event *held, uint64_t now)
{
	uint64_t left;

	*text = 0;
	if (left_of(agent, slot, now, &left))
		snprintf(text, size, "; without an answer: %s in %" PRIu64 " s",
			 regpin_action_names[timed_answer(agent, held)], (left + 999) / 1000);
}
