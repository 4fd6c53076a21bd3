// SPDX-License-Identifier: GPL-2.0-only
/* The ring: nothing lost uncounted, nothing twice, nobody sleeps too long. */
#include "cm.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

#define WRITERS		4
#define EACH		60000u

static struct ring *ring;

static int make_ring(void **context)
{
	ring = aligned_alloc(128, sizeof(*ring));
	if (!ring)
		return -1;
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
	/* There is room again, one slot at a time. */
	put(77);
	assert_true(get(&number) && number == 77);
	assert_int_equal(ring_dropped(ring), 10);
}

/* A guest that violates in a loop can't hide what else it does. */
static void test_flood(void **context)
{
	struct regpin_event event = { .type = REGPIN_EVENT_VIOLATION };
	uint64_t number;

	for (unsigned int i = 0; i < 2 * RING_SLOTS; i++)
		ring_put(ring, &event);
	assert_int_equal(ring_dropped(ring), RING_SLOTS + RING_KEPT);
	for (unsigned int i = 0; i < RING_KEPT; i++)
		put(i);
	assert_int_equal(ring_dropped(ring), RING_SLOTS + RING_KEPT);
	for (unsigned int i = 0; i < RING_SLOTS - RING_KEPT; i++)
		assert_true(ring_get(ring, &event));
	for (unsigned int i = 0; i < RING_KEPT; i++)
		assert_true(get(&number) && number == i);
	/* And there is room again. */
	event.type = REGPIN_EVENT_VIOLATION;
	ring_put(ring, &event);
	assert_true(ring_get(ring, &event));
}

static void test_wrap(void **context)
{
	uint64_t number, next = 0;

	for (uint64_t i = 0; i < 5 * RING_SLOTS + 3; i++) {
		put(i);
		/* The reader stays behind, by nearly the whole ring. */
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
	assert_false(put(2));		/* and only that */
	assert_false(ring_sleep(ring));	/* look again first */
	assert_false(put(3));		/* so nobody needs waking */
	for (uint64_t i = 1; i <= 3; i++)
		assert_true(get(&number) && number == i);
	assert_true(ring_sleep(ring));
	ring_awake(ring);
	assert_false(put(4));
}

/* A full ring still wakes: a loss is news. */
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

/* Takes one event: within each writer's they must come in order. */
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

/* A reader that sleeps whenever it may; a lost wake-up would hang it. */
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

/* A hostile writer may leave anything: the reader must only not crash. */
static void test_garbage(void **context)
{
	struct regpin_event event;
	unsigned int got = 0;

	memset(ring, 0xff, sizeof(*ring));
	while (got < 2 * RING_SLOTS && ring_get(ring, &event))
		got++;
	assert_true(got < 2 * RING_SLOTS);
	memset(ring, 0, sizeof(*ring));
	assert_false(ring_get(ring, &event));
}

/* A writer ends as well: where no slot ever gets free, each event counts as lost. */
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
		ring_test(test_wrap),
		ring_test(test_sleep),
		ring_test(test_sleep_full),
		ring_test(test_threads),
		ring_test(test_garbage),
		ring_test(test_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
