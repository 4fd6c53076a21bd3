// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Do regpin's signals still reach the vCPUs? On a KVM without the CR filter, polls need
 * them, and so do the operator's commands to a vCPU that does not exit. A VMM may handle,
 * ignore or block the signal at any time after it has created its VM. No call fails then,
 * so the loss would go unnoticed.
 *
 * Therefore the control thread checks what the signal's handler is, whether a vCPU's
 * thread blocks the signal in KVM_RUN, and how long a vCPU that has to be polled has run
 * without a poll.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kick.h"
#include "lib/vm/core.h"
#include "lib/vm/embed.h"
#include "reach.h"


/* Number of checks in a row that must agree: a thread may block signals for a moment. */
#define ROUNDS		3
/* A poll is late after LATE_TIMES times the time between two polls, plus LATE_MORE_NS. */
#define LATE_TIMES	20
#define LATE_MORE_NS	1000000000ull

static void report(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		   uint32_t why)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_UNREACHED,
		.index = (uint32_t)kick_signal_number(),
		.rule = REGPIN_NO_RULE,
		.detail = why,
	};

	vm_send_event(vm, vcpu, &event);
}

/* Reads the signals that a thread blocks now; in KVM_RUN, those that KVM_RUN blocks. */
static uint64_t read_blocked(int thread)
{
	char path[64], text[4096];
	const char *field;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	field = strstr(text, "\nSigBlk:");
	return field ? strtoull(field + strlen("\nSigBlk:"), NULL, 16) : 0;
}

/*
 * Does the vCPU's thread block the signal in KVM_RUN? Outside KVM_RUN the thread may
 * block it. If KVM_RUN has a mask of the VMM's, the shim has removed the signal from that
 * mask.
 */
static bool blocks_signal(struct regpin_vcpu *vcpu, int thread)
{
	uint64_t bit = 1ull << (kick_signal_number() - 1);

	return !atomic_load(&vcpu_reach(vcpu)->vmm_mask) &&
	       vcpu_is_inside(vcpu) && read_blocked(thread) & bit &&
	       vcpu_is_inside(vcpu);
}

/* Reads another thread's run time, from the clock of pthread_getcpuclockid(3). */
static bool get_run_time(int thread, uint64_t *ns)
{
	clockid_t clock = (clockid_t)(~(unsigned int)thread << 3 | 6);
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return false;
	*ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return true;
}

static bool is_late(const struct regpin_vcpu *vcpu, int thread)
{
	uint32_t every_ms;
	uint64_t looked_at = vcpu_polled_at(vcpu, &every_ms), now, limit;

	if (!looked_at || !get_run_time(thread, &now))
		return false;
	limit = every_ms * 1000000ull * LATE_TIMES + LATE_MORE_NS;
	return now > looked_at + limit;
}

static enum regpin_unreached find_reach(struct regpin_vcpu *vcpu)
{
	int thread = kick_get_runner(vcpu);

	if (!thread)
		return REGPIN_REACHED;
	if (blocks_signal(vcpu, thread))
		return REGPIN_SIGNAL_BLOCKED;
	return is_late(vcpu, thread) ? REGPIN_NOT_POLLED : REGPIN_REACHED;
}

static void check_vcpu(struct regpin_vcpu *vcpu)
{
	struct reach *reach = vcpu_reach(vcpu);
	uint32_t why = find_reach(vcpu), before = atomic_load(&reach->why);

	reach->rounds = why == before ? 0 : reach->rounds + 1;
	if (reach->rounds >= ROUNDS) {
		reach->rounds = 0;
		atomic_store(&reach->why, why);
		report(vcpu_vm(vcpu), vcpu, why);
	}
	if (atomic_load(&reach->why) == REGPIN_SIGNAL_BLOCKED)
		kick_unblock(vcpu);
}

static void check_vm(struct regpin_vm *vm, enum regpin_unreached signal)
{
	struct regpin_vcpu *vcpu;

	if (vm_set_unreached(vm, signal))
		report(vm, NULL, signal);
	for (vcpu = vm_first_vcpu(vm); vcpu; vcpu = vcpu_next(vcpu))
		check_vcpu(vcpu);
}

void reach_check(struct regpin_vm *all)
{
	enum regpin_unreached signal = kick_restore_handler();

	for (; all; all = all->older)
		check_vm(all, signal);
}
