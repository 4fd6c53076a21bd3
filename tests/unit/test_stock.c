// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KVM without the CR filter: what a guest does between two polls must not lower the floor
 * for its other vCPUs.
 */
#include "stock_scene.h"

#include <pthread.h>

/* A vCPU lacks one of the bits that the first one had. */
static const struct lack {
	uint64_t cr0, cr4, efer;
} lacks[] = {
	{ CR0_WP, 0, 0 }, { 0, CR4_SMEP, 0 }, { 0, CR4_SMAP, 0 },
	{ 0, CR4_UMIP, 0 }, { 0, 0, EFER_NXE }, { CR0_WP, CR4_PINS, EFER_NXE },
};

#define NR_LACKS	(sizeof(lacks) / sizeof(lacks[0]))

static void comes_up_without(unsigned int n, const struct lack *lack)
{
	prepare(n, CR0_ON & ~lack->cr0, CR4_ON & ~lack->cr4,
		EFER_ON & ~lack->efer);
	assert_false(set_lstar(n));
}

/*
 * The guest clears them on vCPU @n, and no filter sees it. A write that clears NXE
 * would be seen.
 */
static void clear(unsigned int n, const struct lack *lack)
{
	assert_true(mock_mov_cr(n, 0, CR0_ON & ~lack->cr0));
	assert_true(mock_mov_cr(n, 1, CR4_ON & ~lack->cr4));
}

static void put_back(unsigned int n)
{
	assert_true(mock_mov_cr(n, 0, CR0_ON));
	assert_true(mock_mov_cr(n, 1, CR4_ON));
}

/* All bits of @kind that were detected. */
static uint64_t detected(unsigned int kind)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < mock.nr_events; i++)
		if (mock.events[i].type == REGPIN_EVENT_DETECTED &&
		    mock.events[i].kind == kind)
			bits |= mock.events[i].bits;
	return bits;
}

/*
 * The first vCPU clears its bits, another one starts without them, and the first one
 * sets them again before the next poll. That was not detected, and lowered the floor
 * forever.
 */
static void test_floor_is_lowered(void **context)
{
	for (size_t i = 0; i < NR_LACKS; i++) {
		mock_open_stock(linux_policy());
		boot(0);
		boot(1);
		clear(0, &lacks[i]);
		comes_up_without(2, &lacks[i]);
		/* The guest cannot set them again without being detected. */
		put_back(0);
		assert_int_equal(detected(REGPIN_CR0), lacks[i].cr0);
		assert_int_equal(detected(REGPIN_CR4), lacks[i].cr4);
		/* After the next poll the floor is the same as before. */
		mock_tick(0);
		assert_false(set_lstar(2));
		mock_close();
	}
}

static void *comes_up(void *lack)
{
	comes_up_without(1, lack);
	return NULL;
}

/* The first vCPU is in KVM_RUN, and is asked there. */
static void test_first_runs(void **context)
{
	const struct lack lack = { 0, CR4_SMEP, 0 };
	struct regpin_vcpu *first;
	pthread_t thread;

	mock_open_stock(linux_policy());
	first = mock.vcpus[0].regpin;
	boot(0);
	assert_int_equal(regpin_vcpu_enter(first), REGPIN_ENTER);
	mock.vcpus[0].sregs.cr4 &= ~CR4_SMEP;
	assert_false(pthread_create(&thread, NULL, comes_up, (void *)&lack));
	/* The kick makes it leave KVM_RUN and enter again. */
	while (atomic_load(&mock.vm->values.first_query) == 0 ||
	       atomic_load(&mock.vm->values.first_reply) != atomic_load(&mock.vm->values.first_query))
		assert_int_equal(regpin_vcpu_enter(first), REGPIN_ENTER);
	pthread_join(thread, NULL);
	assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
	regpin_vcpu_leave(first);
	mock_close();
}

/* Each reaction is done at once. */
static void test_reactions(void **context)
{
	for (unsigned int action = REGPIN_REPORT; action <= REGPIN_STOP;
	     action++) {
		const struct lack lack = { 0, CR4_SMEP, 0 };
		struct regpin_policy *policy;
		int entry;

		if (action == REGPIN_DROP || action == REGPIN_GP)
			continue;
		policy = linux_policy();
		policy->settings.detect_action = (uint8_t)action;
		mock_open_stock(policy);
		boot(0);
		clear(0, &lack);
		comes_up_without(1, &lack);
		entry = mock_look(0);
		assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
		assert_int_equal(entry, action == REGPIN_PAUSE ? REGPIN_HELD :
				 action == REGPIN_STOP ? REGPIN_STOPPED :
							 REGPIN_ENTER);
		mock_close();
	}
}

/* If the first vCPU is held, another thread reads its registers. */
static void test_first_is_held(void **context)
{
	const struct lack lack = { CR0_WP, CR4_SMAP, 0 };
	struct regpin_policy *policy = linux_policy();
	struct regpin_vcpu *first;

	policy->rules[0].action = REGPIN_PAUSE;
	mock_open_stock(policy);
	first = mock.vcpus[0].regpin;
	boot(0);
	clear(0, &lack);
	mock.vcpus[0].run.exit_reason = KVM_EXIT_X86_WRMSR;
	mock.vcpus[0].run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	mock.vcpus[0].run.msr.index = MSR_LSTAR;
	mock.vcpus[0].run.msr.data = KERNEL + 1;
	assert_int_equal(regpin_vcpu_exit(first), 1);
	assert_int_equal(mock_look(0), REGPIN_HELD);
	comes_up_without(1, &lack);
	assert_false(regpin_vcpu_answer(first, REGPIN_GP));
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	assert_int_equal(detected(REGPIN_CR0), CR0_WP);
	assert_int_equal(detected(REGPIN_CR4), CR4_SMAP);
	mock_close();
}

/*
 * In SMM and in L2 KVM shows other registers: they are not violations, and not a
 * reference.
 */
static void test_first_is_elsewhere(void **context)
{
	const uint16_t where[] = { IN_SMM, IN_L2, IN_L2_OLD };
	const struct lack lack = { 0, CR4_SMEP, 0 };

	for (int i = 0; i < 3; i++) {
		const struct lack more = { 0, CR4_SMEP | 1ull << 22, 0 };

		mock_open_stock(linux_policy());
		boot(0);
		goes_to(0, where[i]);
		mock.vcpus[0].sregs.cr4 = 1ull << 22;
		comes_up_without(1, &lack);
		mock_look(0);
		assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
		/* After its return the vCPU is polled. */
		goes_to(0, 0);
		mock.vcpus[0].sregs.cr4 = CR4_ON & ~CR4_SMEP;
		mock_look(0);
		assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
		mock.vcpus[1].sregs.cr4 = CR4_ON & ~more.cr4;
		assert_false(set_lstar(1));
		mock.vcpus[1].sregs.cr4 = CR4_ON;
		assert_true(set_lstar(1));
		mock_close();
	}
}

/*
 * The first vCPU gets an INIT. The next one to start becomes the reference, and may
 * clear its bits between LSTAR and SFMASK, but the third one must still have them.
 */
static void test_next_takes_its_place(void **context)
{
	const struct lack lack = { 0, CR4_SMEP | CR4_SMAP, 0 };

	for (int by_look = 0; by_look < 2; by_look++) {
		mock_open_stock(linux_policy());
		boot(0);
		mock_init(0);
		if (by_look)
			mock_tick(0);
		else
			prepare(0, CR0_ON, CR4_ON, EFER_ON);
		prepare(1, CR0_ON, CR4_ON, EFER_ON);
		assert_true(set_lstar(1));
		mock_look(1);
		mock.vcpus[1].sregs.cr4 &= ~lack.cr4;
		assert_true(mock_wrmsr(1, MSR_SFMASK, 0x47700));
		comes_up_without(2, &lack);
		mock_tick(1);
		assert_int_equal(detected(REGPIN_CR4), lack.cr4);
		mock_close();
	}
}

/*
 * CR4 gets bits long after LSTAR, which only a poll sees; then the first vCPU gets an
 * INIT.
 */
static void test_grows_by_looks(void **context)
{
	const struct lack lack = { 0, CR4_PINS, 0 };

	mock_open_stock(linux_policy());
	mock_boot(0, CR4_PAE);
	mock_look(0);
	assert_true(mock_mov_cr(0, 1, CR4_ON));
	mock_tick(0);
	mock_init(0);
	mock_tick(0);
	comes_up_without(1, &lack);
	mock_close();
}

/* A window, or a disarm, begins another life, whose floor is lower. */
static void test_another_life(void **context)
{
	for (int window = 0; window < 2; window++) {
		mock_open_stock(linux_policy());
		boot(0);
		if (window)
			regpin_vm_window(mock.vm, 0);
		else
			regpin_vm_disarm(mock.vm);
		mock_look(0);
		assert_true(mock_mov_cr(0, 1, CR4_PAE));
		assert_false(regpin_vm_arm(mock.vm));
		mock_look(0);
		prepare(1, CR0_ON, CR4_PAE, EFER_ON);
		assert_true(set_lstar(1));
		assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
		mock_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floor_is_lowered),
		cmocka_unit_test(test_first_runs),
		cmocka_unit_test(test_reactions),
		cmocka_unit_test(test_first_is_held),
		cmocka_unit_test(test_first_is_elsewhere),
		cmocka_unit_test(test_next_takes_its_place),
		cmocka_unit_test(test_grows_by_looks),
		cmocka_unit_test(test_another_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
