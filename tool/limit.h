/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many lines one cause may fill in a second: a guest that tries the same
 * thing over and over must not fill the host's disk. What is left out is counted
 * by cause. Pure: nothing is read but the arguments.
 */
#ifndef REGPIN_TOOL_LIMIT_H
#define REGPIN_TOOL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define LIMIT_MS	1000

/* Causes that are told apart in one second; the others share one more place. */
#define LIMIT_CAUSES	64u

/**
 * struct limit_cause - a vCPU that did the same thing to the same register
 * @event: its first event in this second, which the others are like
 * @seen: how many there were
 * @left: how many of them were left out
 */
struct limit_cause {
	struct regpin_event event;
	uint64_t seen, left;
};

/**
 * struct limit - a second's causes
 * @max: lines for one cause, 0 for no limit
 * @end: when the second ends, in ms of any clock
 * @nr: how many causes there are
 * @left: events that were left out, of all causes
 * @causes: they, and what all others share
 */
struct limit {
	unsigned int max;
	uint64_t end;
	unsigned int nr;
	uint64_t left;
	struct limit_cause causes[LIMIT_CAUSES + 1];
};

void limit_init(struct limit *limit, unsigned int max);

/* Is the event to be written? If not it is counted. */
bool limit_pass(struct limit *limit, const struct regpin_event *event);

/*
 * Takes a cause of which @count events were left out. Returns false if there is
 * none. @shared: it is many causes, of which @event is but one.
 */
bool limit_take(struct limit *limit, struct regpin_event *event, bool *shared,
		uint64_t *count);

/* A new second begins. To be called when all was taken. */
void limit_renew(struct limit *limit, uint64_t now);

#endif
