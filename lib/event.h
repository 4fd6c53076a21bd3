/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring that carries events from a VMM's threads to the agent: bounded, many
 * writers, one reader, in shared memory. A writer never waits: where there is
 * no room it counts the loss, and the reader says so.
 */
#ifndef REGPIN_LIB_EVENT_H
#define REGPIN_LIB_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define RING_SLOTS	4096u	/* a power of two */
#define RING_KEPT	512u	/* of them are not for violations */
#define RING_TRIES	4096u	/* more than honest writers ever need */

struct ring_slot {
	_Atomic uint64_t turn;
	struct regpin_event event;
	uint64_t pad[5];	/* 128 bytes, so two slots share no cache line */
};

/**
 * struct ring - the ring; zeroed memory must go through ring_init() first
 * @head: number of slots that writers have taken, ever
 * @tail: number of slots that the reader has emptied, ever
 * @dropped: events that found no room, ever
 * @sleeping: the reader waits for its eventfd
 */
struct ring {
	_Atomic uint64_t head;
	uint64_t pad0[15];
	_Atomic uint64_t tail;
	uint64_t pad1[15];
	_Atomic uint64_t dropped;
	_Atomic uint32_t sleeping;
	uint32_t pad2;
	uint64_t pad3[14];
	struct ring_slot slots[RING_SLOTS];
};

_Static_assert(sizeof(struct regpin_event) == 80, "events cross processes");
_Static_assert(sizeof(struct ring_slot) == 128, "slots cross processes");
_Static_assert(offsetof(struct ring, slots) == 384, "the ring crosses processes");

void ring_init(struct ring *ring);

/*
 * Adds an event, or counts it as lost. A guest can make as many violations as it likes:
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

/* Events lost so far, ever. */
uint64_t ring_dropped(const struct ring *ring);

#endif
