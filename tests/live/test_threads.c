// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four vCPUs on threads of their own that only do accesses which regpin must judge,
 * while an operator changes everything. usage: test_live_threads [SWAPS [SECONDS]].
 * tests/soak does long runs, with the thread sanitizer.
 */
#include <stdatomic.h>
#include <time.h>

#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull
#define NR		4
#define PATIENCE_MS	60000	/* the machine may be busy */

static void nap(void)
{
	const struct timespec ms = { 0, 1000000 };

	nanosleep(&ms, NULL);
}

static bool settle(struct regpin_vm *vm)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		nap();
		if (regpin_vm_settled(vm))
			return true;
	}
	return false;
}

/* --- swaps: each verdict shows by which of two policies it was found --- */

enum side { FIRST, SECOND, EITHER };

static struct swap {
	struct tiny_vm vm;
	struct tiny_vcpu vcpu[NR];
	struct regpin_policy *policy[2];
	_Atomic unsigned int expected;		/* enum side */
	_Atomic unsigned int seen[NR][2];	/* the MSR that only this policy names */
	_Atomic unsigned int wrong, mislabelled, all;
	_Atomic bool stop;
} swap;

static void swap_event(void *context, const struct regpin_event *e)
{
	enum side side;

	(void)context;
	if (e->type != REGPIN_EVENT_VIOLATION)
		return;
	if (e->index == MSR_SYSENTER_CS)
		side = e->action == REGPIN_DROP ? FIRST : SECOND;
	else
		side = e->index == MSR_STAR ? FIRST : SECOND;
	if (atomic_load(&swap.expected) == (side == FIRST ? SECOND : FIRST))
		atomic_fetch_add(&swap.wrong, 1);
	if (e->policy != (unsigned int)side)
		atomic_fetch_add(&swap.mislabelled, 1);
	atomic_fetch_add(&swap.all, 1);
	if (e->index != MSR_SYSENTER_CS)
		atomic_fetch_add(&swap.seen[e->vcpu][side], 1);
}

/* Writes three MSRs in a loop; the last write may be a #GP. */
static void swap_code(uint8_t *at)
{
	static const uint32_t msrs[] = { MSR_STAR, MSR_CSTAR, MSR_SYSENTER_CS };
	uint8_t *begin = at;

	for (int i = 0; i < 3; i++) {
		*at++ = 0xb9;			/* mov $msr, %ecx */
		memcpy(at, &msrs[i], 4);
		at += 4;
		*at++ = 0x0f;			/* wrmsr */
		*at++ = 0x30;
	}
	*at++ = 0xeb;				/* jmp begin */
	*at = (uint8_t)(begin - at - 1);
}

static void *swap_thread(void *arg)
{
	struct tiny_vcpu *vcpu = arg;

	/* Each #GP of SECOND's ends in a HLT, after which the loop begins again. */
	while (!atomic_load(&swap.stop)) {
		tiny_prepare(vcpu, TINY_CODE, 0, 0);
		if (tiny_run(vcpu))
			break;
	}
	return NULL;
}

static void swap_open(pthread_t threads[NR])
{
	struct regpin_vm_options options = {
		.size = sizeof(options), .event = swap_event, .kick = tiny_kick,
	};

	for (int i = 0; i < 2; i++) {
		swap.policy[i] = new_policy(ARM_SYSCALL_ENTRY);
		regpin_policy_set_number(swap.policy[i], (uint32_t)i);
		add_deny(swap.policy[i], MSR_SYSENTER_CS, 1, ACCESS_WRITE,
			 i ? REGPIN_GP : REGPIN_DROP);
		add_deny(swap.policy[i], i ? MSR_CSTAR : MSR_STAR, 1,
			 ACCESS_WRITE, REGPIN_DROP);
		if (finish_policy(swap.policy[i]))
			abort();
	}
	tiny_kick_begin();
	tiny_vm_new(&swap.vm);
	swap_code(swap.vm.memory + TINY_CODE);
	if (regpin_vm_attach(swap.policy[0], swap.vm.kvm, swap.vm.fd, &options,
			     &swap.vm.regpin))
		abort();
	for (uint32_t i = 0; i < NR; i++)
		tiny_vcpu_new(&swap.vm, &swap.vcpu[i], i, TINY_LONG);
	for (int i = 0; i < NR; i++)
		pthread_create(&threads[i], NULL, swap_thread, &swap.vcpu[i]);
}

/* Does each vCPU make the access that only @side forbids? */
static bool swap_holds(enum side side)
{
	unsigned int before[NR];

	for (int i = 0; i < NR; i++)
		before[i] = atomic_load(&swap.seen[i][side]);
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		bool all = true;

		for (int i = 0; i < NR; i++)
			all &= atomic_load(&swap.seen[i][side]) != before[i];
		if (all)
			return true;
		nap();
	}
	return false;
}

static bool swap_once(enum side to)
{
	struct regpin_vm *vm = swap.vm.regpin;
	bool good;

	atomic_store(&swap.expected, EITHER);
	good = !regpin_vm_set_policy(vm, swap.policy[to]) && settle(vm) &&
	       !regpin_vm_policy_done(vm);
	atomic_store(&swap.expected, to);
	return good && swap_holds(to);
}

static void test_swap(unsigned int swaps)
{
	unsigned int done = 0;
	pthread_t threads[NR];

	swap_open(threads);
	ok(swap_holds(FIRST), "the first policy applies to %d vCPUs", NR);
	while (done < swaps && swap_once(!(done & 1) ? SECOND : FIRST))
		done++;
	ok(done == swaps, "after each of %u swaps the new policy applies to all vCPUs", done);
	ok(!swap.wrong, "%u of %u verdicts are by an old policy after its end",
	   swap.wrong, swap.all);
	ok(!swap.mislabelled, "%u verdicts have the number of the other policy",
	   swap.mislabelled);
	/* Under this policy the vCPUs leave the guest, so that the threads see `stop`. */
	if (done & 1 || swap_once(SECOND))
		atomic_store(&swap.stop, true);
	for (int i = 0; i < NR; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NR; i++)
		tiny_vcpu_free(&swap.vcpu[i]);
	tiny_vm_free(&swap.vm);
	free(swap.policy[0]);
	free(swap.policy[1]);
}

/* --- the storm: everything at the same time --- */

static struct storm {
	struct tiny_vm vm;
	struct tiny_vcpu vcpu[NR];
	struct regpin_policy *policy[2];
	_Atomic unsigned int types[REGPIN_EVENT_TYPE_MAX];
	_Atomic unsigned int odd;
	_Atomic bool stop;
	unsigned int failed;
} storm;

static void storm_event(void *context, const struct regpin_event *e)
{
	(void)context;
	if (e->type >= REGPIN_EVENT_TYPE_MAX ||
	    (e->rule != REGPIN_NO_RULE && e->rule >= storm.policy[0]->nr_rules))
		atomic_fetch_add(&storm.odd, 1);
	else
		atomic_fetch_add(&storm.types[e->type], 1);
}

/* Waits while it is held; the operator's thread answers. */
static void storm_write(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value)
{
	int ret = tiny_wrmsr(vcpu, index, value);

	while (ret == TINY_HELD && !atomic_load(&storm.stop)) {
		nap();
		ret = tiny_run(vcpu);
	}
	if (ret == TINY_STOPPED) {
		tiny_reset(vcpu);
		tiny_set_mode(vcpu, TINY_LONG, 0);
	}
}

static void *storm_thread(void *arg)
{
	struct tiny_vcpu *vcpu = arg;
	uint64_t seed = 0x5eed + vcpu->id;

	while (!atomic_load(&storm.stop)) {
		uint64_t value;

		tiny_rdmsr(vcpu, MSR_STAR, &value);
		storm_write(vcpu, MSR_EFER, EFER_ON);
		storm_write(vcpu, MSR_LSTAR, KERNEL);
		storm_write(vcpu, MSR_SFMASK, 0x700);
		storm_write(vcpu, MSR_EFER, EFER_NX_OFF);
		storm_write(vcpu, MSR_LSTAR, KERNEL + (random64(&seed) & 0x1000));
		tiny_mov_cr(vcpu, 0, 0x80000031);
		if (random64(&seed) % 16 == 0)
			regpin_vcpu_tick(vcpu->regpin);
		if (random64(&seed) % 64)
			continue;
		tiny_reset(vcpu);
		tiny_set_mode(vcpu, TINY_LONG, 0);
	}
	return NULL;
}

static void storm_swap(struct regpin_policy *to)
{
	struct regpin_vm *vm = storm.vm.regpin;

	storm.failed += regpin_vm_set_policy(vm, to) != 0 || !settle(vm);
	storm.failed += regpin_vm_policy_done(vm) != 0;
}

/* Gives one of all commands of an operator. */
static void operate(uint64_t *seed)
{
	static const unsigned int answers[] = { REGPIN_ALLOW, REGPIN_GP,
						REGPIN_GP, REGPIN_STOP };
	struct regpin_vm *vm = storm.vm.regpin;
	struct regpin_event held;

	switch (random64(seed) % 8) {
	case 0:
		regpin_vm_disarm(vm);
		break;
	case 1:
		regpin_vm_window(vm, random64(seed) & 1);
		break;
	case 2:
		storm_swap(storm.policy[random64(seed) & 1]);
		break;
	case 3:
		regpin_vm_status(vm);
		regpin_vm_settled(vm);
		break;
	case 4:
		storm.failed += regpin_vm_arm(vm) != 0;
		break;
	}
	for (uint32_t i = 0; i < NR; i++) {
		struct regpin_vcpu *vcpu = regpin_vm_vcpu(vm, i);

		if (regpin_vcpu_status(vcpu, &held) & REGPIN_IS_HELD)
			regpin_vcpu_answer(vcpu, answers[random64(seed) % 4]);
	}
	nap();
}

static struct regpin_policy *storm_policy(unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	policy->settings.deadline_ms = 100;
	policy->settings.detect_action = REGPIN_MASK;
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, action);
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1 << 16, action);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
	if (finish_policy(policy))
		abort();
	return policy;
}

static void storm_open(void)
{
	struct regpin_vm_options options = {
		.size = sizeof(options), .event = storm_event,
		.kick = tiny_kick,
	};

	storm.policy[0] = storm_policy(REGPIN_PAUSE);
	storm.policy[1] = storm_policy(REGPIN_GP);
	tiny_vm_new(&storm.vm);
	if (regpin_vm_attach(storm.policy[0], storm.vm.kvm, storm.vm.fd,
			     &options, &storm.vm.regpin))
		abort();
	for (uint32_t i = 0; i < NR; i++)
		tiny_vcpu_new(&storm.vm, &storm.vcpu[i], i, TINY_LONG);
}

static void storm_close(void)
{
	for (int i = 0; i < NR; i++)
		tiny_vcpu_free(&storm.vcpu[i]);
	tiny_vm_free(&storm.vm);
	free(storm.policy[0]);
	free(storm.policy[1]);
}

static void test_storm(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	pthread_t threads[NR];
	uint64_t seed = 0x0b5e;

	storm_open();
	for (int i = 0; i < NR; i++)
		pthread_create(&threads[i], NULL, storm_thread, &storm.vcpu[i]);
	do
		operate(&seed);
	while (time(NULL) < end);
	atomic_store(&storm.stop, true);
	for (int i = 0; i < NR; i++)
		pthread_join(threads[i], NULL);
	ok(!storm.failed, "%u of the operator's commands failed", storm.failed);
	ok(!storm.odd, "%u events are invalid", storm.odd);
	ok(!storm.types[REGPIN_EVENT_FAILED], "%u of the host's calls failed",
	   storm.types[REGPIN_EVENT_FAILED]);
	ok(storm.types[REGPIN_EVENT_VIOLATION] &&
	   storm.types[REGPIN_EVENT_ARMED] &&
	   storm.types[REGPIN_EVENT_DISARMED] &&
	   storm.types[REGPIN_EVENT_ANSWERED] &&
	   storm.types[REGPIN_EVENT_POLICY],
	   "%u violations, %u times armed, %u disarmed, %u answers, %u swaps",
	   storm.types[REGPIN_EVENT_VIOLATION],
	   storm.types[REGPIN_EVENT_ARMED],
	   storm.types[REGPIN_EVENT_DISARMED],
	   storm.types[REGPIN_EVENT_ANSWERED],
	   storm.types[REGPIN_EVENT_POLICY]);
	storm_close();
}

int main(int argc, char **argv)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_swap(argc > 1 ? (unsigned int)atoi(argv[1]) : 200);
	test_storm(argc > 2 ? (unsigned int)atoi(argv[2]) : 3);
	return tap_done();
}
