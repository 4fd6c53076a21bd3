// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new policy in the shim (shim/swap.c) with two VMs, when one of them cannot take
 * it, or cannot go back, or a vCPU is late. A policy that a vCPU may still use is never
 * freed.
 */
#include "cm.h"

#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>

#include "../build_policy.h"
#include "lib/kvm/pages.h"
#include "mock_kvm.h"

/*
 * Sets and frees policies as the library does, but some calls fail, and freed policies
 * are recorded.
 */
static unsigned int gives, failing_gives;	/* bit N: call N of give() fails */
static struct regpin_policy *freed[64];
static unsigned int nr_freed, first_freed;

static int give(struct regpin_vm *vm, const struct regpin_policy *policy)
{
	return failing_gives >> gives++ & 1 ? -ENOMEM :
					      regpin_vm_set_policy(vm, policy);
}

static void set_free(struct regpin_policy *policy)
{
	if (!policy)
		return;
	/*
	 * The memory is kept, as a new policy could get the same address and look like
	 * the old one.
	 */
	assert_true(nr_freed < 64);
	freed[nr_freed++] = policy;
	ASAN_POISON_MEMORY_REGION(policy, sizeof(*policy));
}

static void free_freed(void)
{
	while (nr_freed) {
		struct regpin_policy *policy = freed[--nr_freed];

		ASAN_UNPOISON_MEMORY_REGION(policy, sizeof(*policy));
		regpin_policy_free(policy);
	}
	first_freed = 0;
}

#define POLICY_MS	20
#define regpin_vm_set_policy	give
#define regpin_policy_free	set_free
#include "../../shim/swap.c"
#undef regpin_vm_set_policy
#undef regpin_policy_free
#include "../../shim/vm_list.c"
#include "../../shim/control.c"

static const struct regpin_policy *now;
static struct handoff *shared;
static struct control *orders;
static struct regpin_vm *second;

const struct regpin_policy *session_policy(void)
{
	return now;
}

void session_set_policy(struct regpin_policy *policy)
{
	now = policy;
}

void observed_check(const struct control *agents, uint64_t ms)
{
}

static uint32_t join_number = 1;

uint32_t session_join_number(void)
{
	return join_number;
}

void session_wake(void)
{
}

_Noreturn void session_die_text(const char *text)
{
	fail_msg("%s", text);
	abort();
}

static const struct regpin_vm *gone;

void reach_check(struct regpin_vm *all)
{
}

bool fds_vm_is_open(struct regpin_vm *vm)
{
	return vm != gone;
}

void fds_forget_vm(struct regpin_vm *vm)
{
	assert_ptr_equal(vm, gone);
}

static struct regpin_policy *policy_of(uint32_t index)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_deny(policy, index, 1, ACCESS_WRITE, REGPIN_DROP);
	return policy;
}

/* The second VM is like the first one, but KVM refuses all of its filters. */
static void open_two(void)
{
	struct regpin_policy *first = policy_of(0x8b);

	first->number = 1;
	mock_open(first);
	now = first;
	shared = calloc(1, sizeof(*shared));
	orders = calloc(1, sizeof(*orders));
	second = pages_alloc(sizeof(*second));
	assert_non_null(second);
	second->policies.now = now;
	second->policies.whole = now;
	second->fd = MOCK_VM + 1;
	second->host = mock.vm->host;
	second->options.vm = 1;
	memset(&control, 0, sizeof(control));
	swap_reset();
	pthread_mutex_init(&control.lock, NULL);
	/* There is no control thread: the test runs the commands. */
	control.started = true;
	control.join = session_join_number();
	control_lock();
	assert_true(control_add_vm(orders, shared, mock.vm, 0));
	assert_true(control_add_vm(orders, shared, second, 1));
	control_unlock();
	gives = failing_gives = 0;
	gone = NULL;
}

static void close_two(void)
{
	mock_close();
	regpin_vm_detach(second);
	gone = second;
	control.list.all = NULL;
	for (int i = 0; i < MAX_RETIRED; i++)
		free(swap.retired[i]);
	free(swap.policy);
	free(shared);
	free(orders);
	free_freed();
}

/* Runs the command with that number: a policy on @index. */
static int command_policy(uint32_t index, uint32_t number)
{
	struct regpin_policy *policy = policy_of(index);
	int ret;

	assert_int_equal(finish_policy(policy), 0);
	policy->number = number;
	orders->blob_size =
		(uint32_t)blob_seal(policy, orders->blob);
	free(policy);
	gives = 0;
	control_lock();
	vm_list_drop_closed(&control.list, shared);
	ret = swap_policy(&control.list, orders, number, &shared->answer);
	update_status();
	control_unlock();
	return ret;
}

static bool is_freed(const struct regpin_policy *policy)
{
	for (unsigned int i = first_freed; i < nr_freed; i++)
		if (freed[i] == policy)
			return true;
	return false;
}

static void expect_alive(void)
{
	assert_false(is_freed(mock.vm->policies.whole));
	assert_false(is_freed(second->policies.whole));
	assert_false(is_freed(now));
	/* A read of a freed policy would be reported by ASan. */
	assert_true(mock.vm->policies.whole->nr_rules && second->policies.whole->nr_rules);
}

/*
 * KVM refuses a filter after all VMs have the policy: that VM is stopped, the policy
 * stays.
 */
static void test_filter_refused(void **context)
{
	open_two();
	assert_int_equal(command_policy(0x79, 7), -ENOTRECOVERABLE);
	expect_alive();
	assert_ptr_equal(now, mock.vm->policies.whole);
	assert_ptr_equal(now, second->policies.whole);
	assert_true(second->stopped && !mock.vm->stopped);
	assert_int_equal(shared->vms[0].policy, 7);
	assert_int_equal(shared->vms[1].policy, 7);
	close_two();
}

/* The second VM cannot take the policy, and the first one goes back. */
static void test_goes_back(void **context)
{
	const struct regpin_policy *first;

	open_two();
	first = now;
	failing_gives = 1 << 1;
	assert_int_equal(command_policy(0x79, 7), -ENOMEM);
	expect_alive();
	assert_ptr_equal(mock.vm->policies.whole, first);
	assert_int_equal(nr_freed, 1);
	assert_int_equal(mock.vm->policies.number, 1);
	assert_int_equal(shared->vms[0].policy, 1);
	close_two();
}

/* If the first VM cannot go back, it keeps the new policy until another one comes. */
static void test_cant_go_back(void **context)
{
	const struct regpin_policy *first, *stuck;

	open_two();
	second->filters.msrs_wanted = false;
	first = now;
	failing_gives = 1 << 1 | 1 << 2;
	assert_int_equal(command_policy(0x79, 7), -ESTALE);
	expect_alive();
	assert_ptr_equal(second->policies.whole, first);
	assert_ptr_equal(now, first);
	stuck = mock.vm->policies.whole;
	assert_ptr_not_equal(stuck, first);
	assert_int_equal(shared->vms[0].policy, 7);
	assert_int_equal(shared->vms[1].policy, 1);
	/* A later policy fails as well: each VM goes back to the one it had. */
	failing_gives = 1 << 1;
	assert_int_equal(command_policy(0x1a0, 8), -ENOMEM);
	expect_alive();
	assert_ptr_equal(mock.vm->policies.whole, stuck);
	assert_int_equal(shared->vms[0].policy, 7);
	failing_gives = 0;
	assert_int_equal(command_policy(0x1a0, 9), -ENOTRECOVERABLE);
	expect_alive();
	assert_true(is_freed(stuck));
	close_two();
}

/*
 * A VM without a slot in the shared memory, or one that is closed while its vCPUs
 * remain, keeps its policy.
 */
static void test_not_commanded(void **context)
{
	const struct regpin_policy *kept;

	open_two();
	assert_int_equal(command_policy(0x79, 7), -ENOTRECOVERABLE);
	kept = mock.vm->policies.whole;
	gone = mock.vm;
	assert_int_equal(command_policy(0x1a0, 8), -ENOTRECOVERABLE);
	assert_ptr_equal(mock.vm->policies.whole, kept);
	expect_alive();
	/* Policies that are still in use do not accumulate without limit. */
	for (unsigned int i = 0; i < 2 * MAX_RETIRED; i++)
		command_policy(0x80 + i, 9 + i);
	expect_alive();
	for (unsigned int i = 0; i < MOCK_VCPUS; i++) {
		regpin_vcpu_detach(mock.vcpus[i].regpin);
		mock.vcpus[i].regpin = NULL;
	}
	first_freed = nr_freed;
	command_policy(0x79, 99);
	assert_true(is_freed(kept));
	close_two();
}

/*
 * A vCPU is handling an exit by the old policy: that policy stays, and a third one is
 * refused.
 */
static void test_late(void **context)
{
	const struct regpin_policy *one, *two;

	open_two();
	assert_int_equal(command_policy(0x79, 7), -ENOTRECOVERABLE);
	one = now;
	regpin_vcpu_enter(mock.vcpus[1].regpin);
	first_freed = nr_freed;
	assert_int_equal(command_policy(0x1a0, 8), -ENOTRECOVERABLE);
	two = now;
	assert_false(is_freed(one));
	assert_int_equal(command_policy(0x1a1, 9), -EBUSY);
	assert_ptr_equal(now, two);
	assert_false(is_freed(one) || is_freed(two));
	regpin_vcpu_leave(mock.vcpus[1].regpin);
	assert_int_equal(command_policy(0x1a1, 10), -ENOTRECOVERABLE);
	assert_true(is_freed(one) && is_freed(two));
	close_two();
}

/*
 * The reason why a vCPU is held names the policy that held it, however many policies
 * came later.
 */
static void test_held_since(void **context)
{
	const struct regpin_event event = { .type = REGPIN_EVENT_VIOLATION,
					    .policy = 7 };
	struct regpin_vcpu *vcpu;

	open_two();
	assert_int_equal(command_policy(0x79, 7), -ENOTRECOVERABLE);
	vcpu = mock.vcpus[0].regpin;
	vcpu->hold.event = event;
	vcpu->hold.answer = REGPIN_ACTION_MAX;
	vcpu->hold.why = HOLD_ACCESS;
	for (uint32_t i = 0; i < 300; i += 100)
		assert_int_equal(command_policy(0x80, 300 + i),
				 -ENOTRECOVERABLE);
	for (unsigned int i = 0; i < MOCK_VCPUS; i++)
		if (shared->vcpus[i].flags & STATUS_HELD)
			assert_int_equal(shared->vcpus[i].held.policy, 7);
	assert_int_equal(shared->vms[0].policy, 500);
	close_two();
}

/* A blob whose number is not the one in the command does not come from the agent. */
static void test_other_number(void **context)
{
	const struct regpin_policy *first;

	open_two();
	first = now;
	assert_int_equal(command_policy(0x79, 7), -ENOTRECOVERABLE);
	control_lock();
	assert_int_equal(swap_policy(&control.list, orders, 8, &shared->answer),
			 -EINVAL);
	control_unlock();
	assert_int_equal(now->number, 7);
	assert_ptr_not_equal(now, first);
	expect_alive();
	close_two();
}

/* A VM is closed while its window is open: when that ends there is nothing to arm. */
static void test_closed_in_window(void **context)
{
	open_two();
	control.list.slots[0].window_end = 1;
	control_lock();
	gone = mock.vm;
	vm_list_drop_closed(&control.list, shared);
	end_windows();
	update_status();
	control_unlock();
	assert_null(control.list.slots[0].vm);
	assert_int_equal(shared->vms[0].flags, 0);
	assert_true(shared->vms[1].flags & STATUS_PRESENT);
	close_two();
}

/*
 * After fork(2) the lock may be held by a thread that the child does not have, and neither
 * the control thread nor the VMs are the child's.
 */
static void test_child(void **context)
{
	open_two();
	control_lock();
	join_number = 0;
	after_fork();
	assert_int_equal(pthread_mutex_trylock(&control.lock), 0);
	assert_false(control.started);
	assert_null(control.list.slots[0].vm);
	control_unlock();
	join_number = 1;
	close_two();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_refused),
		cmocka_unit_test(test_goes_back),
		cmocka_unit_test(test_cant_go_back),
		cmocka_unit_test(test_not_commanded),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_held_since),
		cmocka_unit_test(test_other_number),
		cmocka_unit_test(test_closed_in_window),
		cmocka_unit_test(test_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
