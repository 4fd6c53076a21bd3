/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring that carries events from a VMM's threads to the agent: bounded, many
 * writers, one reader, in shared memory. A writer never waits. Where there is no room
 * it adds the event to the sum of those of its kind, from which the reader learns which
 * rule was violated, and by which bits, however long it was away.
 */
#ifndef REGPIN_LIB_EVENT_H
#define REGPIN_LIB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define RING_SLOTS	4096u	/* a power of two */
#define RING_RESERVED	512u	/* of them are not for violations */
#define RING_TRIES	4096u	/* more than honest writers ever need */
#define RING_LOST	16384u	/* kinds of events that may find no room */

struct ring_slot {
	_Atomic uint64_t turn;
	struct regpin_event event;
	uint64_t pad[4];	/* 128 bytes, so two slots share no cache line */
};

/**
 * struct ring_lost - the sum of the events of one kind that found no room
 * @key: which kind, see lost_key() in ring.c; 0: a free place. It never changes again,
 *	or a writer that has just found it would add to another one
 * @count: how many the reader has not taken yet; written last
 * @bits: all of their bits
 * @first, @last: the first one's and the last one's time
 * @new_value, @value, @vcpu, @index: as in the last one
 */
struct ring_lost {
	_Atomic uint64_t key, count, bits, first, last, new_value, value;
	_Atomic uint32_t vcpu, index;
};

/**
 * struct ring - the ring; zeroed memory must go through ring_init() first
 * @head: number of slots that writers have taken, ever
 * @tail: number of slots that the reader has emptied, ever
 * @dropped: events that found no room, ever
 * @unnamed: those of them that are part of no sum
 * @sleeping: the reader waits for its eventfd
 */
struct ring {
	_Atomic uint64_t head;
	uint64_t pad0[15];
	_Atomic uint64_t tail;
	uint64_t pad1[15];
	_Atomic uint64_t dropped, unnamed;
	_Atomic uint32_t sleeping;
	uint32_t pad2;
	uint64_t pad3[13];
	struct ring_slot slots[RING_SLOTS];
	struct ring_lost lost[RING_LOST];
};

_Static_assert(sizeof(struct regpin_event) == 88, "events cross processes");
_Static_assert(sizeof(struct ring_slot) == 128, "slots cross processes");
_Static_assert(sizeof(struct ring_lost) == 64, "sums cross processes");
_Static_assert(offsetof(struct ring, slots) == 384, "the ring crosses processes");

void ring_init(struct ring *ring);

/*
 * Adds an event, or adds it to the sum of those that are lost. A guest can make as many violations as it likes:
 * what else it does meanwhile, such as an INIT, must not be lost by that. Returns true
 * if the reader sleeps and wants to be woken, by whatever way the two have agreed on.
 * Async-signal-safe, no system call, and it ends whatever is in the memory.
 */
bool ring_put(struct ring *ring, const struct regpin_event *event);

/* Takes the oldest event. Returns false if there is none. One reader only. */
bool ring_get(struct ring *ring, struct regpin_event *event);

/*
 * Says that the reader is about to sleep. Returns false if an event came in
 * between, so that it must look again first. ring_awake() takes it back.
 */
bool ring_sleep(struct ring *ring);
void ring_awake(struct ring *ring);

/* Events that found no room so far, ever; and those that are part of no sum. */
uint64_t ring_dropped(const struct ring *ring);
uint64_t ring_unnamed(const struct ring *ring);

/*
 * Takes the next sum: @event is like the last one of its @count events but for @bits,
 * which are those of all of them, and @first is the first one's time. What an event
 * has beside that is 0. @at begins at 0. Returns false if there are no more.
 */
bool ring_take_lost(struct ring *ring, uint32_t *at, struct regpin_event *event,
		    uint64_t *count, uint64_t *first);

#endif
