// SPDX-License-Identifier: GPL-2.0-only
/*
 * All events that can happen to a VM, in all orders, until no new state is found. Each
 * state of the library on mock_kvm.c is visited once, and each event is tried in it.
 *
 * Two states are the same if they agree in what the life cycle depends on; register
 * values, times and counters do not count. Time stands still unless an event lets it
 * pass.
 *
 * With REGPIN_EXPLORE=3, only three vCPUs are explored, as ./check soak does: it takes
 * minutes and 3 GB of memory. States that differ only in the order of their vCPUs are one
 * state then.
 */
#include "../build_policy.h"
#include "cm.h"
#include "explore.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEADLINE_MS	20
#define MAX_STATES	(4u << 20)
#define MAX_SAVED	(32u << 10)

/* The threads' clock, and their waits, are replaced. */
static uint64_t now = 1;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(now / 1000000000);
	ts->tv_nsec = (long)(now % 1000000000);
	return 0;
}

int nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)time;
	(void)rest;
	return 0;
}

void pass_time(void)
{
	now += (DEADLINE_MS + 1) * 1000000ull;
}

/**
 * struct world - how a VM is explored
 * @arming: enum arming of its policy
 * @other: that of the policy it may be swapped for; ARM_MAX: there is none
 * @stock: KVM has no CR filter
 * @init: the action of the policies on INIT
 * @nr: how many vCPUs
 * @alike: states that differ only in the order of their vCPUs are one state
 * @events: what happens to vCPUs, see explore.h
 * @vm_events: what happens to the VM
 */
struct world {
	unsigned int arming, other;
	bool stock, alike;
	unsigned int init, nr;
	const char *events, *vm_events;
};

static struct regpin_policy *policy_of(const struct world *world,
				       unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_REPORT);
	add_pin(policy, RULE_UNIFORM, MSR_SFMASK, ALL, REGPIN_REPORT);
	add_pin(policy, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_PAUSE);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_SCE, REGPIN_REPORT);
	policy->settings.deadline_ms = DEADLINE_MS;
	policy->settings.deadline_action = REGPIN_PAUSE;
	policy->settings.init_action = (uint8_t)world->init;
	return policy;
}

/* The parts of the VM that change; its filters and memory slots do not. */
#define VM_PARTS	3
static const struct part {
	size_t from, to;
} vm_parts[VM_PARTS] = {
	{ 0, offsetof(struct regpin_vm, filters.vmm) },
	{ offsetof(struct regpin_vm, values),
	  offsetof(struct regpin_vm, migration) },
	{ offsetof(struct regpin_vm, migration.seen), sizeof(struct regpin_vm) },
};

static void copy_vm(uint8_t **at, bool save)
{
	for (int i = 0; i < VM_PARTS; i++) {
		size_t size = vm_parts[i].to - vm_parts[i].from;
		uint8_t *part = (uint8_t *)mock.vm + vm_parts[i].from;

		memcpy(save ? *at : part, save ? part : *at, size);
		*at += size;
	}
}

static void copy(uint8_t **at, void *what, size_t size, bool save)
{
	memcpy(save ? *at : what, save ? what : *at, size);
	*at += size;
}

/* Saves the state to @bytes, or restores it from there. Returns its size. */
static size_t copy_state(uint8_t *bytes, bool save)
{
	uint8_t *at = bytes;

	copy(&at, &now, sizeof(now), save);
	copy_vm(&at, save);
	for (int i = 0; i < MOCK_VCPUS; i++) {
		struct mock_vcpu *vcpu = &mock.vcpus[i];

		copy(&at, vcpu->regpin, sizeof(*vcpu->regpin), save);
		copy(&at, vcpu->msrs, sizeof(vcpu->msrs), save);
		copy(&at, &vcpu->sregs, sizeof(vcpu->sregs), save);
		copy(&at, &vcpu->run.flags, sizeof(vcpu->run.flags), save);
	}
	return (size_t)(at - bytes);
}

/**
 * struct node - a state that was met
 * @key: distinguishes it from other states
 * @from: the state before it
 * @event, @vcpu: what led from there to it
 * @saved: the state itself, until all events were tried in it
 */
struct node {
	struct key key;
	uint32_t from;
	char event;
	uint8_t vcpu;
	uint8_t *saved;
};

static struct node *nodes;
static uint32_t nr_nodes, nr_steps, *table;

/*
 * A sum over all steps and their events: two versions that behave the same have the
 * same sum.
 */
static uint64_t all_steps;

static uint64_t add_hash(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ull;
	return hash;
}

static uint64_t hash_of(const struct key *key)
{
	uint64_t hash = add_hash(0xcbf29ce484222325ull, key, sizeof(*key));

	return hash ^ hash >> 29;
}

static void add_step(uint32_t from, char event, unsigned int vcpu,
		     const struct key *key)
{
	const uint32_t step[] = { from, (uint32_t)event, vcpu, mock.nr_events };

	all_steps = add_hash(all_steps, step, sizeof(step));
	all_steps = add_hash(all_steps, key, sizeof(*key));
	for (unsigned int i = 0; i < mock.nr_events; i++) {
		const uint32_t sent[] = { mock.events[i].type,
					  mock.events[i].vcpu,
					  mock.events[i].index,
					  mock.events[i].action,
					  mock.events[i].detail };

		all_steps = add_hash(all_steps, sent, sizeof(sent));
	}
}

/* Prints how the state was reached, to explain a failure. */
static void print_path(uint32_t node)
{
	if (node) {
		print_path(nodes[node].from);
		printf(" %c%u", nodes[node].event, nodes[node].vcpu);
	} else {
		printf("#");
	}
}

static void wrong(uint32_t from, char event, unsigned int vcpu,
		  const char *what)
{
	print_path(from);
	printf(" %c%u: %s\n", event, vcpu, what);
	fail();
}

/* Adds the current state, unless it was met already. */
static void met(const struct world *world, uint32_t from, char event,
		unsigned int vcpu)
{
	static uint8_t bytes[MAX_SAVED];
	struct key key;
	const char *what;
	uint64_t at;
	size_t size;

	what = state_is_wrong(world->nr);
	if (what)
		wrong(from, event, vcpu, what);
	key = state_key(world->nr, now, DEADLINE_MS * 1000000ull);
	if (world->alike)
		key_sort(&key, world->nr);
	add_step(from, event, vcpu, &key);
	for (at = hash_of(&key) % (2 * MAX_STATES); table[at];
	     at = (at + 1) % (2 * MAX_STATES))
		if (!memcmp(&nodes[table[at] - 1].key, &key, sizeof(key)))
			return;
	assert_true(nr_nodes < MAX_STATES);
	size = copy_state(bytes, true);
	assert_true(size <= MAX_SAVED);
	nodes[nr_nodes] = (struct node){
		.key = key, .from = from, .event = event,
		.vcpu = (uint8_t)vcpu, .saved = malloc(size),
	};
	assert_non_null(nodes[nr_nodes].saved);
	memcpy(nodes[nr_nodes].saved, bytes, size);
	table[at] = ++nr_nodes;
}

static void try_event(const struct world *world, uint32_t from, char event,
		      unsigned int vcpu, const struct regpin_policy *other)
{
	copy_state(nodes[from].saved, false);
	mock.nr_events = 0;
	if (!happens(event, vcpu, other))
		return;
	nr_steps++;
	met(world, from, event, vcpu);
}

static void expand(const struct world *world, uint32_t from,
		   const struct regpin_policy *other)
{
	for (unsigned int n = 0; n < world->nr; n++)
		for (const char *event = world->events; *event; event++)
			try_event(world, from, *event, n, other);
	for (const char *event = world->vm_events; *event; event++)
		try_event(world, from, *event, 0, other);
	copy_state(nodes[0].saved, false);
	/* The VM is closed in its first state, so a copy of that is kept. */
	if (from)
		free(nodes[from].saved);
}

static const char *const arming_names[] = {
	[ARM_START] = "start", [ARM_SYSCALL_ENTRY] = "syscall-entry",
	[ARM_REQUEST] = "request", [ARM_OPERATOR] = "operator",
	[ARM_MAX] = "none",
};

static void explore(const struct world *world)
{
	struct regpin_policy *policy = policy_of(world, world->arming);
	struct regpin_policy *other = NULL;

	if (world->other != ARM_MAX) {
		other = policy_of(world, world->other);
		assert_int_equal(finish_policy(other), 0);
	}
	now = 1;
	nr_nodes = nr_steps = 0;
	all_steps = 0;
	memset(table, 0, 2 * MAX_STATES * sizeof(*table));
	if (world->stock)
		mock_open_stock(policy);
	else
		mock_open(policy);
	if (world->arming == ARM_OPERATOR || world->arming == ARM_REQUEST)
		mock.vm->gate.state = GATE_CLOSED;
	mock.vm->gate.cause = REGPIN_BY_SYSCALL_ENTRY;
	met(world, 0, '-', 0);
	for (uint32_t i = 0; i < nr_nodes; i++)
		expand(world, i, other);
	printf("# %s, other policy %s, %s, %u vCPUs%s, %s and %s: %u states, %u steps, "
	       "sum %016llx\n",
	       arming_names[world->arming], arming_names[world->other],
	       world->stock ? "stock KVM" : "CR filter", world->nr,
	       world->alike ? " that are alike" : "",
	       world->events, world->vm_events, nr_nodes, nr_steps,
	       (unsigned long long)all_steps);
	copy_state(nodes[0].saved, false);
	free(nodes[0].saved);
	mock_close();
	free(other);
}

static const unsigned int armings[] = {
	ARM_START, ARM_SYSCALL_ENTRY, ARM_REQUEST, ARM_OPERATOR,
};

/*
 * One vCPU. All events together would make millions of states, so they are tried in
 * groups.
 */
static void test_one_vcpu(void **context)
{
	static const char *const groups[] = {
		"LZSsIRDE", "LSIRrmDdE", "LSRDEGT", "LSIREM", "LSPIVRXEag",
		"LSIREVTag",
	};

	for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]);
	     group++)
		for (int i = 0; i < 4; i++)
			explore(&(struct world){
				.arming = armings[i], .other = ARM_MAX, .nr = 1,
				.init = group & 1 ? REGPIN_PAUSE : REGPIN_ALLOW,
				.events = groups[group], .vm_events = "WOCAQ" });
}

/* At any moment another policy, with another arming, may replace the first one. */
static void test_policy_swap(void **context)
{
	for (int i = 0; i < 4; i++)
		explore(&(struct world){
			.arming = armings[i], .other = armings[(i + 1) % 4],
			.nr = 1, .init = REGPIN_PAUSE,
			.events = "LSIRE", .vm_events = "WAQY" });
}

/* KVM does not report INIT here; a look infers it. */
static void test_stock_kvm(void **context)
{
	for (int i = 0; i < 4; i++)
		explore(&(struct world){
			.arming = armings[i], .other = ARM_MAX, .stock = true,
			.nr = 1, .init = REGPIN_ALLOW, .events = "LZSPiRDEK",
			.vm_events = "WOCAQ" });
}

static struct world several(unsigned int arming, unsigned int nr, bool alike)
{
	return (struct world){
		.arming = arming, .other = ARM_MAX, .init = REGPIN_ALLOW,
		.nr = nr, .alike = alike,
		/* The request is an event of each vCPU: any of them may ask. */
		.events = arming == ARM_REQUEST ? "LSIRQ" : "LSIR",
		.vm_events = arming == ARM_REQUEST ? "O" : "OA",
	};
}

/* Counts the states; those that differ only in the order of their vCPUs count as one. */
static uint32_t count_unordered(unsigned int nr)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < nr_nodes; i++) {
		struct key key = nodes[i].key;

		key_sort(&key, nr);
		count += !memcmp(&key, &nodes[i].key, sizeof(key));
	}
	return count;
}

/*
 * Two vCPUs, and what happens between them. Their order makes no difference, and the
 * exploration of three vCPUs relies on that. The proof: an exploration that ignores the
 * order reaches as many states as a complete one has when the order is ignored afterwards.
 */
static void test_two_vcpus(void **context)
{
	for (int i = 0; i < 4; i++) {
		struct world world = several(armings[i], 2, false);
		uint32_t count;

		explore(&world);
		count = count_unordered(2);
		world.alike = true;
		explore(&world);
		assert_int_equal(nr_nodes, count);
	}
}

static void test_three_vcpus(void **context)
{
	for (int i = 0; i < 4; i++) {
		const struct world world = several(armings[i], 3, true);

		explore(&world);
	}
}

static int set_up(void **context)
{
	nodes = calloc(MAX_STATES, sizeof(*nodes));
	table = calloc(2 * MAX_STATES, sizeof(*table));
	return !nodes || !table;
}

static int tear_down(void **context)
{
	free(nodes);
	free(table);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_vcpu),
		cmocka_unit_test(test_policy_swap),
		cmocka_unit_test(test_stock_kvm),
		cmocka_unit_test(test_two_vcpus),
	};
	const struct CMUnitTest long_tests[] = {
		cmocka_unit_test(test_three_vcpus),
	};
	const char *nr = getenv("REGPIN_EXPLORE");

	if (nr && !strcmp(nr, "3"))
		return cmocka_run_group_tests(long_tests, set_up, tear_down);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
