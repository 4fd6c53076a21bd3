// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM without the shim that sends events as quickly as its agent takes them, for storm.sh.
 *
 *	storm EVENTS
 *
 * Prints "ready", and waits for a line. Then it sends the events, and prints the time that
 * went by until the ring was empty, in nanoseconds; another line ends it. No event is lost:
 * the next one waits for room.
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "join.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"

static struct handoff *shared;

static void join(void)
{
	const char *env = getenv(HANDOFF_ENV), *why;
	int conn = -1, kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	/* The shim, which would join the agent as well, does not see this call. */
	int vm = (int)syscall(SYS_ioctl, kvm, KVM_CREATE_VM, 0);
	struct join_address address;
	struct joined joined;

	if (vm < 0)
		err(70, "a VM can't be created");
	if (!env || !join_read(env, &address))
		errx(70, "not under regpin run");
	why = join_connect(&address, &conn);
	if (!why)
		why = join_ask(conn, vm, &joined);
	if (why)
		errx(70, "%s", why);
	close(conn);
	shared = joined.handoff;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The caller reads the agent's processor time before and after the storm. */
static void wait_for_caller(void)
{
	fflush(stdout);
	if (getchar() != '\n')
		errx(70, "the caller has gone");
}

static uint64_t waiting(void)
{
	return atomic_load(&shared->ring.head) - atomic_load(&shared->ring.tail);
}

static void put(struct regpin_event *event)
{
	/* Violations may not use the reserved slots. */
	while (waiting() >= RING_SLOTS - RING_RESERVED)
		sched_yield();
	event->time = now_ns(CLOCK_REALTIME);
	if (!ring_put(&shared->ring, event))
		return;
	atomic_fetch_add(&shared->wake, 1);
	syscall(SYS_futex, &shared->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int main(int argc, char **argv)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_ATTACHED, .vcpu = REGPIN_NO_VCPU,
		.rule = REGPIN_NO_RULE,
	};
	uint64_t begin, events = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;

	if (!events)
		errx(2, "usage: storm EVENTS");
	join();
	put(&event);
	atomic_store(&shared->attached, 1);
	while (waiting())
		sched_yield();
	puts("ready");
	wait_for_caller();
	begin = now_ns(CLOCK_MONOTONIC);
	event = (struct regpin_event){
		.type = REGPIN_EVENT_VIOLATION, .vcpu = 1, .kind = REGPIN_MSR,
		.index = MSR_EFER, .write = 1, .bits = EFER_NXE,
		.old_value = 0xd01, .new_value = 0x501, .value = 0xd01,
		.has_rip = 1, .rip = 0xffffffff81000000,
		.action = REGPIN_GP, .policy = 1,
	};
	while (events--)
		put(&event);
	while (waiting())
		sched_yield();
	printf("%llu\n", (unsigned long long)(now_ns(CLOCK_MONOTONIC) - begin));
	wait_for_caller();
	return 0;
}
