/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring that carries events from a VMM's threads to the agent: bounded, many
 * writers, one reader, in shared memory. A writer never waits. If the ring is full, the
 * writer adds the event to the sum for its kind. From the sums the reader learns which
 * rules were violated and by which bits, however long it did not read.
 */
#ifndef REGPIN_LIB_RING_H
#define REGPIN_LIB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define RING_SLOTS	4096u	/* a power of two */
#define RING_RESERVED	512u	/* slots that violations may not use */
#define RING_TRIES	4096u	/* more than writers that keep to the protocol ever need */
#define RING_LOST	16384u	/* sums; each is for one kind of event */

/*
 * The largest number of events in a sum that the reader believes: its own sums can't overflow
 * within an hour, whatever a compromised writer claims.
 */
#define RING_LOST_COUNT_MAX	(1ull << 36)

/**
 * struct ring_slot - one event on its way
 * @turn: the slot's number while a writer may fill it, that + 1 while the reader may
 *	empty it; see ring.c
 * @event: the event
 * @pad: unused
 */
struct ring_slot {
	_Atomic uint64_t turn;
	struct regpin_event event;
	uint64_t pad[4];	/* 128 bytes, so two slots share no cache line */
};

/**
 * struct ring_lost - the sum of the events of one kind for which there was no slot
 * @key: the kind, by lost_key() in ring.c; 0: a free place. Once set, it never changes:
 *	otherwise a writer that has just found it would add to the sum of another kind
 * @count: the number of events that the reader has not taken yet; written last
 * @bits: the bits of all of these events
 * @first, @last: the times of the first and of the last event
 * @new_value, @value, @vcpu, @index: as in the last event
 */
struct ring_lost {
	_Atomic uint64_t key, count, bits, first, last, new_value, value;
	_Atomic uint32_t vcpu, index;
};

/**
 * struct ring - the ring; call ring_init() on zeroed memory before any use
 * @head: number of slots that writers have taken since ring_init()
 * @tail: number of slots that the reader has emptied since ring_init()
 * @dropped: number of events for which there was no slot, since ring_init()
 * @unnamed: number of dropped events that are part of no sum
 * @sleeping: the reader waits on its eventfd
 * @slots: the slot of number n is @slots[n % RING_SLOTS]
 * @lost: a hash table of the sums
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

/* Makes a ring of @ring, which is zeroed memory. Call it before any other thread uses it. */
void ring_init(struct ring *ring);

/*
 * Adds an event or, if there is no slot, adds it to the sum for its kind. A guest can
 * cause any number of violations; RING_RESERVED slots keep them from displacing other
 * events, such as an INIT. Returns true if the reader sleeps and must be woken by the
 * caller. Any thread. Async-signal-safe; makes no system call; terminates whatever the
 * shared memory holds.
 */
bool ring_put(struct ring *ring, const struct regpin_event *event);

/* Moves the oldest event to @event. Returns false if there is none. One reader only. */
bool ring_get(struct ring *ring, struct regpin_event *event);

/*
 * Announces that the reader is about to sleep. Returns false if an event has arrived in
 * between: then the reader must not sleep. ring_awake() ends the announcement.
 */
bool ring_sleep(struct ring *ring);
void ring_awake(struct ring *ring);

/* The number of events for which there was no slot; of these, those that are in no sum. */
uint64_t ring_dropped(const struct ring *ring);
uint64_t ring_unnamed(const struct ring *ring);

/*
 * Takes the next sum. @event becomes like the last of its @count events, with the @bits
 * of all of them; fields that a sum does not have are 0. @first becomes the time of the
 * first. @count is at most RING_LOST_COUNT_MAX. @at must be 0 at the first call, and is for
 * this function only. Returns false if there are no more. One reader only.
 */
bool ring_take_lost(struct ring *ring, uint32_t *at, struct regpin_event *event,
		    uint64_t *count, uint64_t *first);

#endif
