// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM for tests of `regpin ctl`. Its VM has four vCPUs that exist only in the shared
 * memory. It carries out the agent's commands as the shim does, and needs no KVM.
 *
 *	fake_shim [lazy MS] [answer RESULT] [deaf] [flood N] [unarmed] [storm N] [guests N]
 *
 * lazy: waits before each answer. answer: gives this one to every command. deaf: does
 * not wake the agent. flood: puts that many events into the ring with each command.
 * storm: as if compromised, puts N events of all types and of invented VMs into the ring, as
 * fast as the agent takes them; then the file "stormed" is there.
 * guests: as if N guests violated a rule in a loop, and then another guest did, whose vCPU 2
 * does so once; then the same file is there.
 * unarmed: its vCPUs are not armed. SIGUSR1: vCPU 1 is held (again). SIGTERM ends it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "join.h"
#include "lib/policy/blob.h"
#include "lib/ring.h"

#define NR_VCPUS	4u
#define LIFE_S		120	/* a test that died must not leave this process running */

static struct handoff *shared;
static const struct control *orders;
static int forced, lazy_ms, flood, storm_events, guests;
static bool deaf, unarmed, is_forced;
static volatile sig_atomic_t hold, end;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		hold = 1;
	else
		end = 1;
}

static void wake_agent(void)
{
	if (deaf)
		return;
	atomic_fetch_add(&shared->wake, 1);
	syscall(SYS_futex, &shared->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void report(struct regpin_event event)
{
	event.time = now_ns();
	if (ring_put(&shared->ring, &event))
		wake_agent();
}

/* Clears CR0.WP; a rule of any type may forbid that. */
static struct regpin_event violation(void)
{
	return (struct regpin_event){
		.time = now_ns(), .type = REGPIN_EVENT_VIOLATION, .vcpu = 1,
		.kind = REGPIN_CR0, .write = 1, .old_value = 0x80050033,
		.new_value = 0x80040033, .value = 0x80050033, .bits = 1u << 16,
		.rule = REGPIN_NO_RULE, .action = REGPIN_PAUSE,
	};
}

/* The types of valid events, by turns; each one of another VM. */
/* Waits until a violation has room in the ring. */
static void await_room(void)
{
	const struct ring *ring = &shared->ring;

	while (atomic_load(&ring->head) - atomic_load(&ring->tail) >
	       RING_SLOTS - RING_RESERVED - 1) {
		wake_agent();
		sched_yield();
	}
}

static void stormed(void)
{
	int file = open("stormed", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (file >= 0)
		close(file);
}

static void violate(uint32_t vm, uint32_t vcpu, int times)
{
	for (int i = 0; i < times; i++) {
		struct regpin_event event = violation();

		event.vm = vm;
		event.vcpu = vcpu;
		event.action = REGPIN_GP;
		await_room();
		report(event);
	}
}

static void violate_all(void)
{
	for (uint32_t vm = 0; vm <= (uint32_t)guests; vm++)
		violate(vm, 1, 400);
	violate((uint32_t)guests, 2, 1);
	stormed();
}

static void storm(void)
{
	static const uint8_t actions[] = {
		[REGPIN_EVENT_DETECTED] = REGPIN_REPORT, [REGPIN_EVENT_INIT] = REGPIN_REPORT,
		[REGPIN_EVENT_DEADLINE] = REGPIN_REPORT, [REGPIN_EVENT_ANSWERED] = REGPIN_GP,
		[REGPIN_EVENT_TYPE_MAX - 1] = 0,
	};

	for (int i = 0; i < storm_events; i++) {
		struct regpin_event event = violation();

		await_room();
		event.type = (uint32_t)i % REGPIN_EVENT_TYPE_MAX;
		event.action = actions[event.type];
		event.vm = 1000 + (uint32_t)i;
		event.detail = 0;
		report(event);
	}
	stormed();
}

static void hold_vcpu(void)
{
	struct vcpu_status *vcpu = &shared->vcpus[1];

	vcpu->held = violation();
	atomic_fetch_or(&vcpu->flags, STATUS_HELD);
	report(vcpu->held);
}

static void arm_all(bool armed)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		if (armed)
			atomic_fetch_or(&shared->vcpus[i].flags, STATUS_ARMED);
		else
			atomic_fetch_and(&shared->vcpus[i].flags, ~STATUS_ARMED);
		report((struct regpin_event){
			.type = armed ? REGPIN_EVENT_ARMED :
					REGPIN_EVENT_DISARMED,
			.vcpu = i, .detail = REGPIN_BY_OPERATOR,
		});
	}
	if (armed)
		atomic_fetch_or(&shared->vms[0].flags, STATUS_ARMED);
	else
		atomic_fetch_and(&shared->vms[0].flags, ~STATUS_ARMED);
}

static int answer(const struct control *command)
{
	struct vcpu_status *vcpu;

	if (command->vm || command->vcpu >= NR_VCPUS)
		return -ENOENT;
	vcpu = &shared->vcpus[command->vcpu];
	if (!(atomic_load(&vcpu->flags) & STATUS_HELD))
		return -EINVAL;
	atomic_fetch_and(&vcpu->flags, ~STATUS_HELD);
	report((struct regpin_event){
		.type = REGPIN_EVENT_ANSWERED, .vcpu = command->vcpu,
		.action = (uint8_t)command->arg,
	});
	return 0;
}

static int new_policy(const struct control *command)
{
	static struct regpin_policy policy;

	if (blob_open(command->blob, command->blob_size, &policy))
		return -EINVAL;
	if (policy.number != command->arg)
		return -EINVAL;
	atomic_store(&shared->vms[0].policy, policy.number);
	report((struct regpin_event){
		.type = REGPIN_EVENT_POLICY, .vcpu = REGPIN_NO_VCPU,
	});
	return 0;
}

static int carry_out(const struct control *command)
{
	if (is_forced)
		return forced;
	if (command->command != CONTROL_ANSWER && command->vm &&
	    command->vm != CONTROL_ALL_VMS)
		return -ENOENT;
	switch (atomic_load(&command->command)) {
	case CONTROL_NONE:	/* The agent has withdrawn the command. */
		return -ECANCELED;
	case CONTROL_ARM:
	case CONTROL_DISARM:
		arm_all(command->command == CONTROL_ARM);
		return 0;
	case CONTROL_WINDOW:
		atomic_fetch_or(&shared->vms[0].flags, STATUS_WINDOW);
		arm_all(false);
		return 0;
	case CONTROL_WINDOW_END:
		atomic_fetch_and(&shared->vms[0].flags, ~STATUS_WINDOW);
		arm_all(true);
		return 0;
	case CONTROL_ANSWER:
		return answer(command);
	case CONTROL_POLICY:
		return new_policy(command);
	default:
		return -EINVAL;
	}
}

/*
 * As in the shim, the command is read whole before it is done, and answered by its
 * number.
 */
static void take_command(uint32_t number)
{
	static struct control copy;
	memcpy(&copy, orders, sizeof(copy));
	usleep((useconds_t)lazy_ms * 1000);
	for (int i = 0; i < flood; i++) {
		struct regpin_event event = violation();

		event.vcpu = (uint32_t)i;
		report(event);
	}
	/* The agent may have withdrawn the command in the meantime. */
	atomic_store(&copy.command, atomic_load(&orders->command));
	shared->answer.result = carry_out(&copy);
	atomic_store(&shared->answer.done, number);
	wake_agent();
}

/* Joins with a file that is not a VM's: the agent knows that there is no KVM. */
static int join(void)
{
	const char *env = getenv(HANDOFF_ENV), *why;
	int conn = -1, file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct join_address address;
	struct joined joined;

	if (!env || !join_read(env, &address))
		errx(70, "not under regpin run");
	why = join_connect(&address, &conn);
	if (!why)
		why = join_ask(conn, file, &joined);
	if (why)
		errx(70, "%s", why);
	close(file);
	shared = joined.handoff;
	atomic_store(&shared->vms[0].policy, joined.policy->number);
	regpin_policy_free(joined.policy);
	orders = joined.control;
	return conn;
}

static void set_up(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	int conn = join();

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		shared->vcpus[i].vcpu = i;
		atomic_store(&shared->vcpus[i].flags,
			     STATUS_PRESENT | (unarmed ? 0 : STATUS_ARMED));
	}
	atomic_store(&shared->vms[0].flags, STATUS_PRESENT | STATUS_FILTERED |
					    (unarmed ? 0 : STATUS_ARMED));
	report((struct regpin_event){
		.type = REGPIN_EVENT_ATTACHED, .vcpu = REGPIN_NO_VCPU,
	});
	if (!unarmed)
		report((struct regpin_event){ .type = REGPIN_EVENT_ARMED });
	atomic_store(&shared->attached, 1);
	close(conn);
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct timespec tick = { .tv_nsec = 100000000 };
	uint32_t number, seen = 0;
	time_t last;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "lazy") && argv[i + 1])
			lazy_ms = atoi(argv[++i]);
		else if (!strcmp(argv[i], "flood") && argv[i + 1])
			flood = atoi(argv[++i]);
		else if (!strcmp(argv[i], "answer") && argv[i + 1])
			forced = atoi(argv[++i]), is_forced = true;
		else if (!strcmp(argv[i], "storm") && argv[i + 1])
			storm_events = atoi(argv[++i]);
		else if (!strcmp(argv[i], "guests") && argv[i + 1])
			guests = atoi(argv[++i]);
		else if (!strcmp(argv[i], "deaf"))
			deaf = true;
		else if (!strcmp(argv[i], "unarmed"))
			unarmed = true;
		else
			errx(70, "what is %s?", argv[i]);
	}
	set_up();
	if (guests)
		violate_all();
	else
		storm();
	for (last = time(NULL) + LIFE_S; !end && time(NULL) < last;) {
		syscall(SYS_futex, &orders->request, FUTEX_WAIT, seen,
			&tick, NULL, 0);
		if (hold) {
			hold = 0;
			hold_vcpu();
		}
		number = atomic_load(&orders->request);
		if (number != seen)
			take_command(number);
		seen = number;
	}
	return 3;
}
