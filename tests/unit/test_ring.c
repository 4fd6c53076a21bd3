// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring: each lost event is counted, no event is read twice, no reader sleeps too
 * long.
 */
#include "cm.h"
#include "lib/ring.h"
#include "lib/vm/types.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>


#define WRITERS		4
#define EACH		60000u

static struct ring *ring;

static int make_ring(void **context)
{
	ring = aligned_alloc(128, sizeof(*ring));
	if (!ring)
		return -1;
	memset(ring, 0, sizeof(*ring));
	ring_init(ring);
	return 0;
}

static int free_ring(void **context)
{
	free(ring);
	return 0;
}

static bool put(uint64_t number)
{
	struct regpin_event event = { .time = number, .old_value = ~number,
				      .type = REGPIN_EVENT_ARMED };

	return ring_put(ring, &event);
}

static bool get(uint64_t *number)
{
	struct regpin_event event;

	if (!ring_get(ring, &event))
		return false;
	*number = event.time;
	assert_int_equal(event.old_value, ~event.time);
	return true;
}

static void test_order(void **context)
{
	uint64_t number = 0;

	assert_false(get(&number));
	for (uint64_t i = 0; i < 10; i++)
		assert_false(put(i));
	for (uint64_t i = 0; i < 10; i++)
		assert_true(get(&number) && number == i);
	assert_false(get(&number));
	assert_int_equal(ring_dropped(ring), 0);
}

static void test_full(void **context)
{
	uint64_t number;

	for (uint64_t i = 0; i < RING_SLOTS + 10; i++)
		put(i);
	assert_int_equal(ring_dropped(ring), 10);
	for (uint64_t i = 0; i < RING_SLOTS; i++)
		assert_true(get(&number) && number == i);
	assert_false(get(&number));
	/* There is room again, one slot after the other. */
	put(77);
	assert_true(get(&number) && number == 77);
	assert_int_equal(ring_dropped(ring), 10);
}

/* A guest that violates in a loop cannot hide its other violations. */
static void test_flood(void **context)
{
	struct regpin_event event = { .type = REGPIN_EVENT_VIOLATION };
	uint64_t number;

	for (unsigned int i = 0; i < 2 * RING_SLOTS; i++)
		ring_put(ring, &event);
	assert_int_equal(ring_dropped(ring), RING_SLOTS + RING_RESERVED);
	for (unsigned int i = 0; i < RING_RESERVED; i++)
		put(i);
	assert_int_equal(ring_dropped(ring), RING_SLOTS + RING_RESERVED);
	for (unsigned int i = 0; i < RING_SLOTS - RING_RESERVED; i++)
		assert_true(ring_get(ring, &event));
	for (unsigned int i = 0; i < RING_RESERVED; i++)
		assert_true(get(&number) && number == i);
	/* There is room again. */
	event.type = REGPIN_EVENT_VIOLATION;
	ring_put(ring, &event);
	assert_true(ring_get(ring, &event));
}

static struct regpin_event flood_event(uint64_t number)
{
	return (struct regpin_event){
		.time = number + 1, .type = REGPIN_EVENT_VIOLATION,
		.kind = REGPIN_MSR, .index = 0xc0000080, .write = 1,
		.action = REGPIN_REPORT, .rule = 3, .bits = 1,
		.new_value = number, .vcpu = (uint32_t)number % 4,
	};
}

/* One event during a flood that has filled the ring: its rule and bits are not lost. */
static void test_one_in_a_flood(void **context)
{
	uint64_t count, first, others = 0, found = 0;
	struct regpin_event event;
	uint32_t at = 0;

	for (uint64_t i = 0; i < 3 * RING_SLOTS; i++) {
		event = flood_event(i);
		ring_put(ring, &event);
		if (i != 2 * RING_SLOTS)
			continue;
		event.bits = 0x800;
		event.time = 77;
		ring_put(ring, &event);
		event.rule = 4;
		event.bits = ~0ull;
		event.unread = REGPIN_UNREAD_VALUE;
		event.new_value = 0x1234;
		ring_put(ring, &event);
	}
	while (ring_take_lost(ring, &at, &event, &count, &first)) {
		assert_int_equal(event.type, REGPIN_EVENT_VIOLATION);
		assert_int_equal(event.index, 0xc0000080);
		assert_int_equal(event.action, REGPIN_REPORT);
		assert_int_equal(event.write, 1);
		if (event.rule == 3) {
			others = count;
			assert_int_equal(event.unread, 0);
			assert_int_equal(event.bits, 0x801);
			assert_int_equal(first, RING_SLOTS - RING_RESERVED + 1);
			assert_int_equal(event.time, 3 * RING_SLOTS);
			assert_int_equal(event.new_value, 3 * RING_SLOTS - 1);
		} else {
			found += count;
			assert_int_equal(event.rule, 4);
			assert_int_equal(event.unread, REGPIN_UNREAD_VALUE);
			assert_int_equal(first, 77);
			assert_true(event.bits == ~0ull);
			assert_int_equal(event.new_value, 0x1234);
		}
	}
	assert_int_equal(found, 1);
	assert_int_equal(others + found, ring_dropped(ring));
	assert_int_equal(ring_unnamed(ring), 0);
	at = 0;
	assert_false(ring_take_lost(ring, &at, &event, &count, &first));
}

/* All types, in a ring that is full to its last slot: vCPUs and reasons are kept apart. */
static void test_lost_kinds(void **context)
{
	uint64_t count, first, sum = 0, kinds = 0;
	struct regpin_event event;
	uint32_t at = 0;

	for (uint64_t i = 0; i < RING_SLOTS; i++)
		put(i);
	for (uint32_t type = 0; type < REGPIN_EVENT_TYPE_MAX; type++)
		for (uint32_t i = 0; i < 300; i++) {
			event = (struct regpin_event){
				.time = 1 + i, .type = type, .vcpu = i % 100,
				.detail = i % 3, .vm = 7, .policy = 9,
				.rule = REGPIN_NO_RULE, .kind = REGPIN_CR4,
			};
			ring_put(ring, &event);
		}
	while (ring_take_lost(ring, &at, &event, &count, &first)) {
		bool rule = event.type == REGPIN_EVENT_VIOLATION ||
			    event.type == REGPIN_EVENT_DETECTED ||
			    event.type == REGPIN_EVENT_VMM_WRITE;

		assert_int_equal(event.vm, 7);
		assert_int_equal(event.policy, rule ? 9 : 0);
		assert_int_equal(event.rule, REGPIN_NO_RULE);
		assert_int_equal(event.kind, REGPIN_CR4);
		assert_true(event.vcpu < 100);
		sum += count;
		kinds++;
	}
	assert_int_equal(sum, 300 * REGPIN_EVENT_TYPE_MAX);
	/*
	 * Three types name rules, which belong to policies; for `deadline`, @detail is a
	 * time.
	 */
	assert_int_equal(kinds, 300 * (REGPIN_EVENT_TYPE_MAX - 4) + 100 + 3);
	/* Events that cannot be distinguished are counted. */
	event = (struct regpin_event){ .type = REGPIN_EVENT_INIT,
				       .vcpu = 0x10000 };
	ring_put(ring, &event);
	assert_int_equal(ring_unnamed(ring), 1);
	assert_int_equal(ring_dropped(ring), sum + 1);
	/* A policy's number is kept whole, or the event is counted only. */
	event = (struct regpin_event){ .type = REGPIN_EVENT_VIOLATION,
				       .policy = 0x7ffff };
	ring_put(ring, &event);
	at = 0;
	assert_true(ring_take_lost(ring, &at, &event, &count, &first));
	assert_int_equal(event.policy, 0x7ffff);
	assert_int_equal(event.type, REGPIN_EVENT_VIOLATION);
	event.policy++;
	ring_put(ring, &event);
	assert_int_equal(ring_unnamed(ring), 2);
}

/* A compromised process claims numbers that would make the reader's sums overflow. */
static void test_false_counts(void **context)
{
	struct regpin_event event = flood_event(0);
	uint64_t count, first;
	uint32_t at = 0;

	for (uint64_t i = 0; i < RING_SLOTS; i++)
		put(i);
	ring_put(ring, &event);
	for (unsigned int i = 0; i < RING_LOST; i++)
		if (atomic_load(&ring->lost[i].count))
			atomic_store(&ring->lost[i].count, UINT64_MAX);
	assert_true(ring_take_lost(ring, &at, &event, &count, &first));
	assert_int_equal(count, RING_LOST_COUNT_MAX);
	assert_false(ring_take_lost(ring, &at, &event, &count, &first));
}

/* There are more kinds of events than places to count them: the total is correct. */
static void test_too_many_kinds(void **context)
{
	uint64_t count, first, sum = 0, nr = 2 * RING_LOST;
	struct regpin_event event;
	uint32_t at = 0;

	for (uint64_t i = 0; i < RING_SLOTS; i++)
		put(i);
	for (uint64_t i = 0; i < nr; i++) {
		event = flood_event(i);
		event.rule = (uint32_t)i % 0xffff;
		event.policy = (uint32_t)(i / 0xffff);
		ring_put(ring, &event);
	}
	while (ring_take_lost(ring, &at, &event, &count, &first))
		sum += count;
	assert_int_equal(sum + ring_unnamed(ring), nr);
	assert_in_range(sum, RING_LOST / 2, RING_LOST);
}

static void test_wrap(void **context)
{
	uint64_t number, next = 0;

	for (uint64_t i = 0; i < 5 * RING_SLOTS + 3; i++) {
		put(i);
		/* The reader stays nearly the whole ring behind the writer. */
		if (i < RING_SLOTS - 1)
			continue;
		assert_true(get(&number) && number == next++);
	}
	while (get(&number))
		assert_true(number == next++);
	assert_int_equal(next, 5 * RING_SLOTS + 3);
	assert_int_equal(ring_dropped(ring), 0);
}

static void test_sleep(void **context)
{
	uint64_t number;

	assert_true(ring_sleep(ring));
	assert_true(put(1));		/* the first one wakes */
	assert_false(put(2));		/* and no other one does */
	assert_false(ring_sleep(ring));	/* the reader looks again before it sleeps */
	assert_false(put(3));		/* so no wake-up is needed */
	for (uint64_t i = 1; i <= 3; i++)
		assert_true(get(&number) && number == i);
	assert_true(ring_sleep(ring));
	ring_awake(ring);
	assert_false(put(4));
}

/* A full ring still wakes the reader, because a lost event must be noticed. */
static void test_sleep_full(void **context)
{
	uint64_t number;

	for (uint64_t i = 0; i < RING_SLOTS; i++)
		put(i);
	while (get(&number))
		;
	assert_true(ring_sleep(ring));
	assert_true(put(1));
	for (uint64_t i = 0; i < RING_SLOTS; i++)
		put(i);
	assert_int_equal(ring_dropped(ring), 1);
}

static sem_t wake;
static _Atomic unsigned int running;

static void *writer(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < EACH; i++)
		if (put(id << 32 | i))
			sem_post(&wake);
	atomic_fetch_sub(&running, 1);
	sem_post(&wake);
	return NULL;
}

/* Takes one event: each writer's events must come in order. */
static bool take(uint64_t next[WRITERS], uint64_t *taken)
{
	uint64_t number, id, i;

	if (!get(&number))
		return false;
	id = number >> 32;
	i = number & 0xffffffff;
	assert_true(id < WRITERS && i >= next[id] && i < EACH);
	next[id] = i + 1;
	(*taken)++;
	return true;
}

/* The reader sleeps whenever it may; a lost wake-up would hang it. */
static void read_all(uint64_t next[WRITERS], uint64_t *taken)
{
	bool last;

	do {
		last = !atomic_load(&running);
		while (take(next, taken))
			;
		if (!last && ring_sleep(ring)) {
			sem_wait(&wake);
			ring_awake(ring);
		}
	} while (!last);
}

static void test_threads(void **context)
{
	uint64_t next[WRITERS] = { 0 }, taken = 0;
	pthread_t threads[WRITERS];

	sem_init(&wake, 0, 0);
	atomic_store(&running, WRITERS);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer,
						(void *)i), 0);
	read_all(next, &taken);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(taken + ring_dropped(ring),
			 (uint64_t)WRITERS * EACH);
	assert_true(taken >= RING_SLOTS);
	sem_destroy(&wake);
}

/*
 * Each writer violates its own rule, one bit at a time, and sometimes a rule of all
 * writers.
 */
static void *flooder(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < EACH; i++) {
		struct regpin_event event = flood_event(i);

		event.rule = i == EACH / 2 ? 9 : (uint32_t)id;
		event.bits = i == EACH / 2 ? 1ull << id : 1ull << i % 62;
		if (i == EACH - 1)
			event.bits = 1ull << 63;
		ring_put(ring, &event);
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Returns the number of events it got, from the ring or from sums; adds their bits. */
static uint64_t read_some(uint64_t bits[10], bool slowly)
{
	struct regpin_event event;
	uint64_t count, first, got = 0;
	uint32_t at = 0;

	while (ring_take_lost(ring, &at, &event, &count, &first)) {
		assert_true(event.rule < 10 && first <= event.time);
		bits[event.rule] |= event.bits;
		got += count;
	}
	for (unsigned int i = 0; (!slowly || i < 100) && ring_get(ring, &event); i++) {
		assert_true(event.rule < 10);
		bits[event.rule] |= event.bits;
		got++;
	}
	return got;
}

/* Writers that are faster than the reader: no event is lost, nor any bit. */
static void test_lost_threads(void **context)
{
	uint64_t bits[10] = { 0 }, got = 0;
	pthread_t threads[WRITERS];

	atomic_store(&running, WRITERS);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flooder,
						(void *)i), 0);
	while (atomic_load(&running))
		got += read_some(bits, true);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	got += read_some(bits, false);
	assert_int_equal(got, (uint64_t)WRITERS * EACH);
	assert_true(ring_dropped(ring) > 0);
	assert_int_equal(ring_unnamed(ring), 0);
	for (int i = 0; i < WRITERS; i++)
		assert_true(bits[i] == (~0ull >> 2 | 1ull << 63));
	assert_int_equal(bits[9], (1 << WRITERS) - 1);
}

/* A hostile writer may write anything into the ring: the reader must not crash. */
static void test_garbage(void **context)
{
	struct regpin_event event;
	unsigned int got = 0;
	uint64_t count, first;

	memset(ring, 0xff, sizeof(*ring));
	while (got < 2 * RING_SLOTS && ring_get(ring, &event))
		got++;
	assert_true(got < 2 * RING_SLOTS);
	for (uint32_t at = 0; ring_take_lost(ring, &at, &event, &count, &first);)
		got++;
	ring_put(ring, &event);
	memset(ring, 0, sizeof(*ring));
	assert_false(ring_get(ring, &event));
}

/*
 * The writer does not hang, either: if no slot ever becomes free, each event is counted
 * as lost.
 */
static void test_stuck(void **context)
{
	for (unsigned int i = 0; i < RING_SLOTS; i++)
		atomic_store(&ring->slots[i].turn, 1ull << 60);
	for (uint64_t i = 0; i < 10; i++)
		put(i);
	assert_int_equal(ring_dropped(ring), 10);
	memset(ring, 0xff, sizeof(*ring));
	put(1);
	memset(ring, 0, sizeof(*ring));
	for (uint64_t i = 0; i < 2 * RING_SLOTS; i++)
		put(i);
}

#define ring_test(f) cmocka_unit_test_setup_teardown(f, make_ring, free_ring)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ring_test(test_order),
		ring_test(test_full),
		ring_test(test_flood),
		ring_test(test_one_in_a_flood),
		ring_test(test_lost_kinds),
		ring_test(test_false_counts),
		ring_test(test_too_many_kinds),
		ring_test(test_wrap),
		ring_test(test_sleep),
		ring_test(test_sleep_full),
		ring_test(test_threads),
		ring_test(test_lost_threads),
		ring_test(test_garbage),
		ring_test(test_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
