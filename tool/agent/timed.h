/* SPDX-License-Identifier: GPL-2.0-only */
/* Held vCPUs for which the agent answers after a time, if no operator has answered. */
#ifndef REGPIN_TOOL_TIMED_H
#define REGPIN_TOOL_TIMED_H

#include <stdbool.h>

#include "agent_state.h"
#include "base/json.h"

/* Makes the memory, if `run` named a time. Returns 0 or -1. */
int timed_begin(struct agent *agent);

/* An event reports that a vCPU is held. */
void timed_expect(struct agent *agent, uint64_t now);

/* Notes which vCPUs are held. To be called in each round of the loop. */
void timed_run(struct agent *agent, uint64_t now);

/* Finds the slot of the vCPU whose time was over first. Returns false if there is none. */
bool timed_find(const struct agent *agent, uint64_t now, unsigned int *slot);

/*
 * The answer for a vCPU that is held for the event @held. Only an access can get #GP: a vCPU
 * that a deadline or an INIT holds is stopped.
 */
enum regpin_action timed_answer(const struct agent *agent, const struct regpin_event *held);

/* The answer was given to the vCPU of @slot and had no effect: it is given again later. */
void timed_failed(struct agent *agent, unsigned int slot, uint64_t now);

/* Milliseconds until timed_run() or timed_find() has something to do, or -1. */
int timed_sleep(const struct agent *agent, uint64_t now);

/* Show the answer and the time that is left, if there is one, for a vCPU held for @held. */
void timed_put_status(struct json *json, const struct agent *agent, unsigned int slot,
		      const struct regpin_event *held, uint64_t now);
void timed_text(char *text, size_t size, const struct agent *agent, unsigned int slot,
		const struct regpin_event *held, uint64_t now);

#endif
