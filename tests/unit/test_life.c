// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a kernel's syscall set-up: until then the kernel's own writes of the
 * registers must be allowed, and afterwards the registers are pinned. Both faults are
 * tested: a kernel that gets #GP for its own set-up, and a set-up that never ends.
 */
#include "lib/vm/core.h"
#include "life_scene.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A kernel has started while the gate is closed, and the VMM resets the VM. What that
 * kernel had done counted for the next one, whose set-up was finished at its LSTAR.
 */
static void test_reset_before_arming(void **context)
{
	for (int i = 0; i < 2 * NR_RESETS * 2; i++) {
		unsigned int arming = by_word[i & 1];
		enum reset how = (enum reset)(i / 2 % NR_RESETS);
		bool whole = i / 2 / NR_RESETS;

		open_vm(arming);
		mock.vcpus[0].sregs.cr0 = 0x80010033;
		/*
		 * The first kernel writes all, or only SFMASK, which some kernels write
		 * first.
		 */
		if (whole)
			boot(0, A, ESP_A, MASK_A);
		else
			assert_true(mock_wrmsr(0, MSR_SFMASK, MASK_A));
		reset(0, how);
		arm(arming);
		boot(0, B, ESP_B, MASK_B);
		is_pinned(0, B, MASK_B);
		mock_close();
	}
}

/*
 * Kernel A has started while the gate is closed, or in a window. Kernel B, started by
 * kexec, is between LSTAR and CSTAR when the pins become effective: the look mistook it
 * for A.
 */
static void test_armed_amid_set_up(void **context)
{
	for (int i = 0; i < 3; i++) {
		bool window = i == 2;
		unsigned int arming = window ? ARM_SYSCALL_ENTRY : by_word[i];

		open_vm(arming);
		if (window)
			boot(0, EVIL & ~0xffffull, ESP_A, MASK_A);
		if (window)
			regpin_vm_window(mock.vm, 0);
		boot(0, A, ESP_A, MASK_A);
		assert_true(mock_wrmsr(0, MSR_LSTAR, B));
		arm(arming);
		assert_int_not_equal(mock.vcpus[0].regpin->life.phase, PHASE_READY);
		finish(0, B, ESP_B, MASK_B);
		is_pinned(0, B, MASK_B);
		assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 2);
		mock_close();
	}
}

/* A kernel that has done only one set-up is pinned by the operator's command alone. */
static void test_armed_after_set_up(void **context)
{
	for (int i = 0; i < 2; i++) {
		open_vm(by_word[i]);
		boot(0, A, ESP_A, MASK_A);
		arm(by_word[i]);
		is_pinned(0, A, MASK_A);
		mock_close();
	}
}

/*
 * In a window a kernel may begin with SFMASK; its set-up is not finished when the
 * window ends.
 */
static void test_window_ends_after_sfmask(void **context)
{
	open_vm(ARM_SYSCALL_ENTRY);
	boot(0, A, ESP_A, MASK_A);
	regpin_vm_window(mock.vm, 0);
	assert_true(mock_wrmsr(0, MSR_SFMASK, MASK_B));
	arm(ARM_SYSCALL_ENTRY);
	assert_true(mock_wrmsr(0, MSR_LSTAR, B));
	is_pinned(0, B, MASK_B);
	mock_close();
}

/*
 * A CPU goes offline and online before its VM arms. The MSRs that it had written, and
 * what was known of them, outlived the INIT, so LSTAR alone finished its set-up.
 */
static void test_init_before_arming(void **context)
{
	for (int i = 0; i < 8; i++) {
		unsigned int arming = by_word[i & 1];

		open_vm(arming);
		boot(0, A, ESP_A, MASK_A);
		boot(1, A, ESP_A + 0x100, MASK_A);
		init_sipi(1, i & 2);
		/* It arms before its LSTAR, or after it. */
		if (i & 4)
			arm(arming);
		assert_true(mock_wrmsr(1, MSR_LSTAR, A));
		if (!(i & 4))
			arm(arming);
		look(1);
		assert_int_not_equal(mock.vcpus[1].regpin->life.phase, PHASE_READY);
		finish(1, A, ESP_A + 0x100, MASK_A);
		is_pinned(1, A, MASK_A);
		assert_false(mock_wrmsr(1, MSR_SYSENTER_ESP, ESP_B));
		mock_close();
	}
}

/*
 * With pins from the first instruction a CPU stays armed across its INIT. Because of
 * the earlier MSRs its set-up was finished at once, and `once` refused the values that
 * the kernel puts back.
 */
static void test_init_with_pins_from_start(void **context)
{
	for (int clears = 0; clears < 2; clears++) {
		open_vm(ARM_START);
		look(0);
		look(1);
		boot(0, A, ESP_A, MASK_A);
		boot(1, A, ESP_A + 0x100, MASK_A);
		init_sipi(1, clears);
		look(1);
		assert_true(phase_pinned(mock.vcpus[1].regpin->life.phase));
		assert_int_not_equal(mock.vcpus[1].regpin->life.phase, PHASE_READY);
		boot(1, A, ESP_A + 0x100, MASK_A);
		is_pinned(1, A, MASK_A);
		assert_false(mock_wrmsr(1, MSR_SYSENTER_ESP, ESP_B));
		mock_close();
	}
}

/* `window --once` ends with the set-up of one kernel, not with halves of two. */
static void test_once_over_an_init(void **context)
{
	open_vm(ARM_SYSCALL_ENTRY);
	boot(0, A, ESP_A, MASK_A);
	boot(1, A, ESP_A + 0x100, MASK_A);
	regpin_vm_window(mock.vm, 1);
	assert_true(mock_wrmsr(1, MSR_LSTAR, B));
	init_sipi(1, false);
	assert_true(mock_wrmsr(1, MSR_SFMASK, MASK_B));
	assert_int_equal(mock.vm->gate.state, GATE_WINDOW);
	init_sipi(1, false);
	boot(1, B, ESP_B, MASK_B);
	assert_int_equal(mock.vm->gate.state, GATE_OPEN);
	mock_close();
}

/* The orders in which kernels write the two; the last write ends the set-up. */
struct write {
	uint32_t index;
	uint64_t value;
};

#define MAX_WRITES	4

static const struct order {
	const char *text;
	struct write writes[MAX_WRITES];
} orders[] = {
	{ "Linux, Windows, the BSDs", { { MSR_LSTAR, A }, { MSR_SFMASK, MASK_A } } },
	{ "no flag is masked", { { MSR_LSTAR, A }, { MSR_SFMASK, 0 } } },
	{ "SFMASK first", { { MSR_SFMASK, MASK_A }, { MSR_LSTAR, A } } },
	{ "SFMASK first, and 0", { { MSR_SFMASK, 0 }, { MSR_LSTAR, A } } },
	{ "LSTAR twice", { { MSR_LSTAR, B }, { MSR_LSTAR, A },
			   { MSR_SFMASK, MASK_A } } },
	{ "LSTAR cleared before SFMASK", { { MSR_LSTAR, B }, { MSR_LSTAR, 0 },
					   { MSR_SFMASK, MASK_A },
					   { MSR_LSTAR, A } } },
	{ "LSTAR cleared in between", { { MSR_LSTAR, B }, { MSR_LSTAR, 0 },
					{ MSR_LSTAR, A }, { MSR_SFMASK, MASK_A } } },
};

static void check_order(const struct order *order, unsigned int arming,
			unsigned int nr, bool before)
{
	bool waits = arming == ARM_REQUEST || arming == ARM_OPERATOR;

	print_message("# %s, arming %u, %u vCPUs, armed %s\n", order->text,
		      arming, nr, before ? "before" : "after");
	open_vm(arming);
	if (waits && before)
		arm(arming);
	for (unsigned int n = 0; n < nr; n++) {
		for (int i = 0; i < MAX_WRITES && order->writes[i].index; i++) {
			look(n);
			/* Later vCPUs write only the value that the VM has. */
			if (n && order->writes[i].index == MSR_LSTAR &&
			    order->writes[i].value != A)
				continue;
			assert_true(mock_wrmsr(n, order->writes[i].index,
					       order->writes[i].value));
		}
	}
	if (waits && !before)
		arm(arming);
	for (unsigned int n = 0; n < nr; n++) {
		look(n);
		assert_int_equal(regpin_vcpu_status(mock.vcpus[n].regpin, NULL),
				 REGPIN_IS_ARMED);
		assert_false(mock_wrmsr(n, MSR_LSTAR, EVIL));
	}
	assert_int_equal(vm_status(), REGPIN_IS_ARMED);
	mock_close();
}

static void test_orders(void **context)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		for (int k = 0; k < 4 * MOCK_VCPUS * 2; k++) {
			bool before = k / 4 / MOCK_VCPUS;

			/* The gate is closed twice, with another kernel each time. */
			if (!before && orders[i].writes[2].index)
				continue;
			check_order(&orders[i], armings[k % 4],
				    1 + (unsigned int)k / 4 % MOCK_VCPUS,
				    before);
		}
}

static void *boots_both(void *unused)
{
	boot(0, A, ESP_A, MASK_A);
	boot(1, A, ESP_B, MASK_A);
	return unused;
}

struct on_a_thread {
	void *(*run)(void *);
	pid_t tid;
};

static void *note_thread(void *context)
{
	struct on_a_thread *on = context;

	on->tid = gettid();
	return on->run(NULL);
}

/* The kernel may show a thread for a moment after it was joined. */
static void on_a_thread(void *(*run)(void *))
{
	struct on_a_thread on = { .run = run };
	pthread_t thread;

	assert_false(pthread_create(&thread, NULL, note_thread, &on));
	pthread_join(thread, NULL);
	while (!syscall(SYS_tgkill, getpid(), on.tid, 0))
		sched_yield();
}

static void *looks_at_first(void *unused)
{
	look(0);
	return unused;
}

/*
 * vCPU 0 moves from thread to thread. In between, the VM counted as unarmed, and a
 * reset of the other vCPU discarded the values, so vCPU 0's LSTAR could be changed.
 */
static void test_changes_its_thread(void **context)
{
	for (int i = 0; i < 12; i++) {
		unsigned int arming = armings[i % 4];
		int when = i / 4;
		bool is_reset = false;

		open_vm(arming);
		if (arming == ARM_REQUEST || arming == ARM_OPERATOR)
			arm(arming);
		on_a_thread(boots_both);
		/* Before another thread enters it, after that, or after two threads. */
		if (when == 0)
			reset(1, AT_ONCE);
		if (when == 2)
			on_a_thread(looks_at_first);
		assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin),
				 REGPIN_ENTER);
		regpin_vcpu_leave(mock.vcpus[0].regpin);
		if (when)
			reset(1, AT_ONCE);
		/*
		 * A reset of all vCPUs that have a thread closes the gate, and that is
		 * reported.
		 */
		is_reset = !when &&
			   (arming == ARM_REQUEST || arming == ARM_OPERATOR);
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), is_reset);
		assert_int_equal(vm_status(),
				 is_reset ? 0 : REGPIN_IS_ARMED);
		assert_int_equal(mock_wrmsr(0, MSR_LSTAR, EVIL), is_reset);
		if (!is_reset)
			assert_false(mock_wrmsr(1, MSR_LSTAR, EVIL));
		mock_close();
	}
}

/* A vCPU whose thread has ended, and that no other thread enters, was unplugged. */
static void test_is_unplugged(void **context)
{
	open_vm(ARM_SYSCALL_ENTRY);
	on_a_thread(boots_both);
	assert_false(vm_is_armed(mock.vm));
	reset(1, AT_ONCE);
	assert_true(mock_wrmsr(1, MSR_LSTAR, B));
	mock_close();
}

/*
 * vCPU 0 is between two threads, after an INIT, when the other one is reset. The gate
 * was closed, but the VM counted as armed again as soon as vCPU 0 had a thread.
 */
static void test_changes_its_thread_after_init(void **context)
{
	for (int i = 0; i < 2; i++) {
		open_vm(by_word[i]);
		arm(by_word[i]);
		on_a_thread(boots_both);
		mock_init(0);
		mock_sipi(0);
		/* The thread that enters it ends here. */
		on_a_thread(looks_at_first);
		reset(1, AT_ONCE);
		assert_int_equal(mock.vm->gate.state, GATE_CLOSED);
		look(0);
		assert_int_equal(vm_status(), 0);
		/* Disarmed by the INIT, and by the reset, which the vCPU detects late. */
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 2);
		/* Its kernel starts unpinned until the gate opens again. */
		assert_true(mock_wrmsr(0, MSR_LSTAR, B));
		assert_int_equal(vm_status(), 0);
		arm(by_word[i]);
		finish(0, B, ESP_B, MASK_B);
		is_pinned(0, B, MASK_B);
		mock_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_before_arming),
		cmocka_unit_test(test_armed_amid_set_up),
		cmocka_unit_test(test_armed_after_set_up),
		cmocka_unit_test(test_window_ends_after_sfmask),
		cmocka_unit_test(test_init_before_arming),
		cmocka_unit_test(test_init_with_pins_from_start),
		cmocka_unit_test(test_once_over_an_init),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_changes_its_thread),
		cmocka_unit_test(test_changes_its_thread_after_init),
		cmocka_unit_test(test_is_unplugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
