// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The event ring.
 *
 * Theory of operation: a slot's `turn` shows which side may use the slot. It equals the
 * slot's number while the writer that took this number may fill the slot, and number + 1
 * after that writer has filled it; the reader sets it to number + RING_SLOTS for the next
 * round. Writers race for `head` with compare-and-swap and never wait for each other.
 *
 * The sums of dropped events are a hash table whose places, once taken, are never freed.
 * Writers change the fields of a sum one by one, @count last. So a reader may see the
 * bits of an event before it sees the event's count, but no bit and no event is ever
 * missing.
 */
#include <stdatomic.h>
#include <string.h>

#include "ring.h"

void ring_init(struct ring *ring)
{
	/* The sums are zero already. Not writing them saves memory: most stay unused. */
	memset(ring, 0, offsetof(struct ring, lost));
	for (uint64_t i = 0; i < RING_SLOTS; i++)
		atomic_store(&ring->slots[i].turn, i);
}

static struct ring_slot *slot_of(struct ring *ring, uint64_t pos)
{
	return &ring->slots[pos % RING_SLOTS];
}

/*
 * Is @slot, that of number @pos, free for that number? 0: it is free; < 0: the reader has
 * not emptied it yet; > 0: another writer has taken it.
 */
static int64_t slot_ahead(const struct ring_slot *slot, uint64_t pos)
{
	return (int64_t)(atomic_load_explicit(&slot->turn,
					      memory_order_acquire) - pos);
}

/*
 * Takes a slot for a writer and sets @pos to its number. Returns NULL if there is none.
 * The other process may have written anything to the shared memory, so that no attempt
 * would ever succeed: a writer gives up after RING_TRIES attempts.
 */
static struct ring_slot *take_slot(struct ring *ring, bool is_violation, uint64_t *pos)
{
	*pos = atomic_load_explicit(&ring->head, memory_order_relaxed);
	for (unsigned int i = 0; i < RING_TRIES; i++) {
		struct ring_slot *slot = slot_of(ring, *pos);
		int64_t ahead = slot_ahead(slot, *pos);
		uint64_t later = *pos + RING_RESERVED;

		if (ahead < 0 ||
		    (is_violation && slot_ahead(slot_of(ring, later), later) < 0))
			return NULL;
		if (ahead > 0)
			*pos = atomic_load_explicit(&ring->head,
						    memory_order_relaxed);
		else if (atomic_compare_exchange_weak(&ring->head, pos,
						      *pos + 1))
			return slot;
	}
	return NULL;
}

/* Does an event of this type name the rule that it is about? */
static bool names_rule(uint32_t type)
{
	return type == REGPIN_EVENT_VIOLATION ||
	       type == REGPIN_EVENT_DETECTED || type == REGPIN_EVENT_VMM_WRITE;
}

/* Is @detail of such an event one of a few reasons? For other types it is a time. */
static bool has_reason(uint32_t type)
{
	return type != REGPIN_EVENT_DETECTED && type != REGPIN_EVENT_DEADLINE;
}

#define KEY_POLICY	19	/* bits for a policy's number */
#define KEY_REASON	8	/* in the same place, for a reason */

_Static_assert(REGPIN_EVENT_TYPE_MAX <= 32 && REGPIN_KIND_MAX <= 4 &&
	       REGPIN_ACTION_MAX <= 8, "a kind of event is 64 bits");

/*
 * The key of an event's kind, which is that of a policy's rule, or of a vCPU and a reason.
 * Returns 0, which is the key of no kind, if there are more VMs, vCPUs, policies or reasons
 * than a key has room for.
 */
static uint64_t lost_key(const struct regpin_event *event)
{
	bool rule = names_rule(event->type);
	uint32_t of = rule ? event->rule : event->vcpu;
	uint32_t more = rule ? event->policy :
			has_reason(event->type) ? event->detail : 0;

	if (of == ~0u)
		of = 0xffff;
	if (event->type >> 5 || event->vm >> 16 || of >> 16 ||
	    more >> (rule ? KEY_POLICY : KEY_REASON))
		return 0;
	return 1ull << 63 | (uint64_t)event->type << 58 |
	       (uint64_t)(event->write & 1) << 57 |
	       (uint64_t)!!(event->unread & REGPIN_UNREAD_VALUE) << 56 |
	       (uint64_t)(event->kind & 3) << 54 |
	       (uint64_t)(event->action & 7) << 51 | (uint64_t)more << 32 |
	       (uint64_t)event->vm << 16 | of;
}

/* The reverse of lost_key(): @event becomes an event of that kind. */
static void lost_event(uint64_t key, struct regpin_event *event)
{
	uint32_t of = key & 0xffff;
	uint32_t more = key >> 32 & ((1u << KEY_POLICY) - 1);

	if (of == 0xffff)
		of = ~0u;
	*event = (struct regpin_event){
		.type = key >> 58 & 0x1f, .write = key >> 57 & 1,
		.unread = key >> 56 & 1 ? REGPIN_UNREAD_VALUE : 0,
		.kind = key >> 54 & 3, .action = key >> 51 & 7,
		.vm = key >> 16 & 0xffff,
		.rule = REGPIN_NO_RULE, .vcpu = REGPIN_NO_VCPU,
	};
	if (names_rule(event->type)) {
		event->rule = of;
		event->policy = more;
	} else {
		event->vcpu = of;
		event->detail = more;
	}
}

/* The sum for @key, taken for it if there was none. NULL if @key is 0 or no place is free. */
static struct ring_lost *find_sum(struct ring *ring, uint64_t key)
{
	uint64_t hash = key * 0x9e3779b97f4a7c15ull >> 32;

	for (unsigned int i = 0; key && i < 256; i++) {
		struct ring_lost *lost = &ring->lost[(hash + i) % RING_LOST];
		uint64_t there = atomic_load(&lost->key);

		if (there == key ||
		    (!there && (atomic_compare_exchange_strong(&lost->key,
							       &there, key) ||
				there == key)))
			return lost;
	}
	return NULL;
}

/* Adds @event, for which there was no slot, to the sum for its kind. */
static void add_to_sum(struct ring *ring, const struct regpin_event *event)
{
	struct ring_lost *lost = find_sum(ring, lost_key(event));
	uint64_t none = 0;

	if (lost) {
		atomic_fetch_or(&lost->bits, event->bits);
		atomic_compare_exchange_strong(&lost->first, &none,
					       event->time);
		atomic_store(&lost->last, event->time);
		atomic_store(&lost->new_value, event->new_value);
		atomic_store(&lost->value, event->value);
		atomic_store(&lost->vcpu, event->vcpu);
		atomic_store(&lost->index, event->index);
		atomic_fetch_add(&lost->count, 1);
	} else {
		atomic_fetch_add(&ring->unnamed, 1);
	}
	atomic_fetch_add(&ring->dropped, 1);
}

bool ring_put(struct ring *ring, const struct regpin_event *event)
{
	bool is_violation = event->type == REGPIN_EVENT_VIOLATION;
	struct ring_slot *slot;
	uint64_t pos;

	slot = take_slot(ring, is_violation, &pos);
	if (slot) {
		slot->event = *event;
		atomic_store_explicit(&slot->turn, pos + 1,
				      memory_order_release);
	} else {
		add_to_sum(ring, event);
	}
	/*
	 * The event, or its sum, must be visible before `sleeping` is read: otherwise the
	 * reader and this writer could miss each other. ring_sleep() has the other fence.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&ring->sleeping) &&
	       atomic_exchange(&ring->sleeping, 0);
}

/* Has a writer filled the slot of number @tail? */
static bool ring_ready(const struct ring *ring, uint64_t tail)
{
	return atomic_load_explicit(&ring->slots[tail % RING_SLOTS].turn,
				    memory_order_acquire) == tail + 1;
}

bool ring_get(struct ring *ring, struct regpin_event *event)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	struct ring_slot *slot = slot_of(ring, tail);

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

uint64_t ring_unnamed(const struct ring *ring)
{
	return atomic_load(&ring->unnamed);
}

bool ring_take_lost(struct ring *ring, uint32_t *at, struct regpin_event *event,
		    uint64_t *count, uint64_t *first)
{
	while (*at < RING_LOST) {
		struct ring_lost *lost = &ring->lost[(*at)++];

		if (!atomic_load(&lost->count))
			continue;
		*count = atomic_exchange(&lost->count, 0);
		if (*count > RING_LOST_COUNT_MAX)
			*count = RING_LOST_COUNT_MAX;
		lost_event(atomic_load(&lost->key), event);
		*first = atomic_exchange(&lost->first, 0);
		event->bits = atomic_exchange(&lost->bits, 0);
		event->time = atomic_load(&lost->last);
		event->new_value = atomic_load(&lost->new_value);
		event->value = atomic_load(&lost->value);
		event->index = atomic_load(&lost->index);
		if (names_rule(event->type))
			event->vcpu = atomic_load(&lost->vcpu);
		if (!*first || *first > event->time)
			*first = event->time;
		return true;
	}
	return false;
}
