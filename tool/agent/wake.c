// SPDX-License-Identifier: GPL-2.0-only
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wake.h"

static struct {
	struct handoff *shared;
	int wake;
	uint32_t seen;
} waker;

static void *wake_main(void *arg)
{
	_Atomic uint32_t *word = &waker.shared->wake;
	const uint64_t one = 1;

	for (;;) {
		uint32_t now = atomic_load(word);

		if (now == waker.seen) {
			syscall(SYS_futex, word, FUTEX_WAIT, waker.seen, NULL,
				NULL, 0);
			continue;
		}
		waker.seen = now;
		/* A full eventfd wakes the loop as well, so the error does not matter. */
		if (write(waker.wake, &one, sizeof(one)) < 0)
			continue;
	}
	return arg;
}

int wake_begin(struct handoff *shared, int wake)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	waker.shared = shared;
	waker.wake = wake;
	/* Read before the loop first checks the ring, so that no wakeup is missed. */
	waker.seen = atomic_load(&shared->wake);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1ul << 18);
	err = pthread_create(&thread, &attr, wake_main, NULL);
	pthread_attr_destroy(&attr);
	return err ? -1 : 0;
}
