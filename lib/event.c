// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The event ring.
 *
 * Theory of operation: a slot's `turn` says whose it is. It is the slot's number
 * while free for the writer of that number, and number + 1 once that writer has
 * filled it; the reader sets it to number + RING_SLOTS for the next round.
 * Writers race for `head` with compare-and-swap and never wait for each other.
 */
#include <stdatomic.h>
#include <string.h>

#include "event.h"

void ring_init(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	for (uint64_t i = 0; i < RING_SLOTS; i++)
		atomic_store(&ring->slots[i].turn, i);
}

/* How far is the slot of number @pos from being free? 0: it is; < 0: not yet. */
static int64_t slot_ahead(struct ring *ring, uint64_t pos)
{
	return (int64_t)(atomic_load_explicit(
				 &ring->slots[pos % RING_SLOTS].turn,
				 memory_order_acquire) - pos);
}

/*
 * Takes a slot for a writer: its number in @pos. Returns false if there is none.
 * The memory is shared, so its numbers may be anybody's nonsense, which no number
 * of attempts would change: a writer that has failed RING_TRIES times gives up.
 */
static bool take_slot(struct ring *ring, bool many, uint64_t *pos)
{
	*pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
	for (unsigned int i = 0; i < RING_TRIES; i++) {
		int64_t ahead = slot_ahead(ring, *pos);

		if (ahead < 0 ||
		    (many && slot_ahead(ring, *pos + RING_KEPT) < 0))
			return false;
		if (ahead > 0)
			*pos = atomic_load_explicit(&ring->head,
						    memory_order_relaxed);
		else if (atomic_compare_exchange_weak(&ring->head, pos,
						      *pos + 1))
			return true;
	}
	return false;
}

bool ring_put(struct ring *ring, const struct regpin_event *event)
{
	bool many = event->type == REGPIN_EVENT_VIOLATION;
	uint64_t pos;

	if (take_slot(ring, many, &pos)) {
		struct ring_slot *slot = &ring->slots[pos % RING_SLOTS];

		slot->event = *event;
		atomic_store_explicit(&slot->turn, pos + 1,
				      memory_order_release);
	} else {
		atomic_fetch_add(&ring->dropped, 1);
	}
	/* Orders the event, or its loss, before the look at `sleeping`. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&ring->sleeping) &&
	       atomic_exchange(&ring->sleeping, 0);
}

static bool ring_ready(const struct ring *ring, uint64_t tail)
{
	return atomic_load_explicit(&ring->slots[tail % RING_SLOTS].turn,
				    memory_order_acquire) == tail + 1;
}

bool ring_get(struct ring *ring, struct regpin_event *event)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	struct ring_slot *slot = &ring->slots[tail % RING_SLOTS];

	if (!ring_ready(ring, tail))
		return false;
	*event = slot->event;
	atomic_store_explicit(&slot->turn, tail + RING_SLOTS,
			      memory_order_release);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_relaxed);
	return true;
}

bool ring_sleep(struct ring *ring)
{
	atomic_store(&ring->sleeping, 1);
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring_ready(ring, atomic_load(&ring->tail)))
		return true;
	ring_awake(ring);
	return false;
}

void ring_awake(struct ring *ring)
{
	atomic_store(&ring->sleeping, 0);
}

uint64_t ring_dropped(const struct ring *ring)
{
	return atomic_load(&ring->dropped);
}
