// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a kernel's syscall set-up: until then the kernel's own writes of the
 * registers must be allowed, and afterwards the registers are pinned. Both faults are
 * tested: a kernel that gets #GP for its own set-up, and a set-up that never ends.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "lib/vm/lifecycle.h"
#include "mock_kvm.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>


#define A		0xffffffff81000000ull
#define B		0xffffffff82000000ull
#define EVIL		0xffffffffdead0000ull
#define MASK_A		0x47700ull
#define MASK_B		0x257fd5ull
#define ESP_A		0xfffffe0000003000ull
#define ESP_B		0xfffffe0000004000ull

static struct regpin_policy *policy_of(unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_CSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_SFMASK, ALL, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_GP);
	return policy;
}

/* Opens the VM, with the gate in the state that vm_attach() gives it. */
static void open_vm(unsigned int arming)
{
	mock_open(policy_of(arming));
	if (arming == ARM_OPERATOR || arming == ARM_REQUEST)
		mock.vm->gate.state = GATE_CLOSED;
}

static void look(unsigned int n)
{
	assert_int_equal(mock_look(n), REGPIN_ENTER);
}

static void arm(unsigned int arming)
{
	if (arming == ARM_REQUEST)
		lifecycle_request(mock.vcpus[0].regpin);
	else
		assert_int_equal(regpin_vm_arm(mock.vm), 0);
	look(0);
}

/* The writes of Linux's syscall_init() after LSTAR; all of them must be done. */
static void finish(unsigned int n, uint64_t kernel, uint64_t esp, uint64_t mask)
{
	assert_true(mock_wrmsr(n, MSR_CSTAR, kernel + 0x1000));
	assert_true(mock_wrmsr(n, MSR_SYSENTER_ESP, esp));
	assert_true(mock_wrmsr(n, MSR_SFMASK, mask));
}

static void boot(unsigned int n, uint64_t kernel, uint64_t esp, uint64_t mask)
{
	assert_true(mock_wrmsr(n, MSR_LSTAR, kernel));
	finish(n, kernel, esp, mask);
}

/* Set up and pinned: the VM's values are @kernel and @mask. */
static void is_pinned(unsigned int n, uint64_t kernel, uint64_t mask)
{
	assert_int_equal(mock.vcpus[n].regpin->life.phase, PHASE_READY);
	assert_false(mock_wrmsr(n, MSR_LSTAR, EVIL));
	assert_false(mock_wrmsr(n, MSR_SFMASK, mask ^ 0x100));
	assert_true(mock_wrmsr(n, MSR_LSTAR, kernel));
	assert_true(mock_wrmsr(n, MSR_SFMASK, mask));
}

/* KVM on VMX clears the SYSENTER MSRs at INIT; the other syscall MSRs always stay. */
static void init_sipi(unsigned int n, bool clears)
{
	mock_init(n);
	for (int slot = 0; clears && slot < 3; slot++)
		mock.vcpus[n].msrs[slot] = 0;
	mock_sipi(n);
}

/* The orders in which a VMM may write a reset. */
enum reset { AT_ONCE, SREGS_FIRST, MSRS_FIRST, NR_RESETS };

static void write_part(unsigned int n, bool sregs, bool msrs)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	regpin_vcpu_before_write(vcpu->regpin);
	if (msrs)
		memset(vcpu->msrs, 0, sizeof(vcpu->msrs));
	if (sregs) {
		vcpu->sregs.cr0 = 0x60000010;
		vcpu->sregs.cr4 = vcpu->sregs.efer = 0;
		vcpu->sregs.cs.base = 0xffff0000;
	}
	regpin_vcpu_after_write(vcpu->regpin);
}

static void reset(unsigned int n, enum reset how)
{
	if (how != AT_ONCE)
		write_part(n, how == SREGS_FIRST, how == MSRS_FIRST);
	write_part(n, how != SREGS_FIRST, how != MSRS_FIRST);
	look(n);
}

/* These tests do not depend on whether the CR filter is installed. */
static unsigned int vm_status(void)
{
	return regpin_vm_status(mock.vm) & ~(unsigned int)REGPIN_IS_FILTERED;
}

static const unsigned int by_word[] = { ARM_OPERATOR, ARM_REQUEST };

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

static const unsigned int armings[] = {
	ARM_START, ARM_SYSCALL_ENTRY, ARM_REQUEST, ARM_OPERATOR,
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

#define DEADLINE_MS	20

/* The guest runs on vCPU @n past the deadline, and the vCPU looks at itself. */
static void run_long(unsigned int n)
{
	uint64_t end;

	mock_look(n);
	end = vcpu_run_time() + (DEADLINE_MS + 2) * 1000000ull;
	while (vcpu_run_time() < end)
		;
	mock_look(n);
}

static void open_with_deadline(unsigned int arming, unsigned int ms)
{
	struct regpin_policy *policy = policy_of(arming);

	policy->settings.deadline_ms = ms;
	mock_open(policy);
	if (arming == ARM_OPERATOR || arming == ARM_REQUEST)
		mock.vm->gate.state = GATE_CLOSED;
}

/*
 * A kernel that never writes SFMASK was armed in name only: no value was settled, its
 * LSTAR could still be changed, and no event reported it. The deadline ends its set-up.
 */
static void test_no_sfmask(void **context)
{
	for (int i = 0; i < 4; i++) {
		const unsigned int setting = REGPIN_IS_ARMED |
					     REGPIN_IS_SETTING_UP;

		open_with_deadline(armings[i], DEADLINE_MS);
		if (armings[i] == ARM_REQUEST || armings[i] == ARM_OPERATOR)
			arm(armings[i]);
		for (unsigned int n = 0; n < MOCK_VCPUS; n++) {
			struct regpin_vcpu *vcpu = mock.vcpus[n].regpin;

			look(n);
			assert_true(mock_wrmsr(n, MSR_LSTAR, A));
			look(n);
			assert_int_equal(regpin_vcpu_status(vcpu, NULL), setting);
			assert_int_equal(vm_status(),
					 n ? REGPIN_IS_ARMED : setting);
			assert_int_not_equal(regpin_vcpu_tick_ms(vcpu), 0);
			run_long(n);
			assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), n + 1);
			assert_int_equal(regpin_vcpu_status(vcpu, NULL),
					 REGPIN_IS_ARMED);
			assert_false(mock_wrmsr(n, MSR_LSTAR, EVIL));
			assert_false(mock_wrmsr(n, MSR_SYSENTER_ESP, ESP_A));
		}
		assert_int_equal(mock_count(REGPIN_EVENT_DEADLINE), 0);
		assert_int_equal(vm_status(), REGPIN_IS_ARMED);
		assert_int_equal(mock.events[mock.nr_events - 1].type,
				 REGPIN_EVENT_VIOLATION);
		mock_close();
	}
}

/* Beside a kernel that writes SFMASK, the deadline holds the vCPU as usual. */
static void test_no_sfmask_beside(void **context)
{
	open_with_deadline(ARM_SYSCALL_ENTRY, DEADLINE_MS);
	boot(0, A, ESP_A, MASK_A);
	assert_true(mock_wrmsr(1, MSR_LSTAR, A));
	run_long(1);
	assert_int_equal(mock_count(REGPIN_EVENT_DEADLINE), 1);
	assert_int_equal(mock_look(1), REGPIN_HELD);
	/* The operator lets the vCPU continue, so it is pinned as it is. */
	assert_false(regpin_vcpu_answer(mock.vcpus[1].regpin, REGPIN_ALLOW));
	look(1);
	run_long(1);
	assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 1);
	assert_int_equal(regpin_vcpu_status(mock.vcpus[1].regpin, NULL),
			 REGPIN_IS_ARMED);
	mock_close();
}

/* If nothing is pinned, a late vCPU does not escape the policy. */
static void test_late_without_pins(void **context)
{
	for (int pins = 0; pins < 2; pins++) {
		struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

		add_report(policy, REGPIN_MSR, MSR_LSTAR, ACCESS_WRITE);
		add_report(policy, REGPIN_MSR, MSR_SFMASK, ACCESS_WRITE);
		if (pins)
			add_pin(policy, RULE_STICKY, MSR_STAR, 1, REGPIN_REPORT);
		policy->settings.deadline_ms = DEADLINE_MS;
		mock_open(policy);
		boot(0, A, ESP_A, MASK_A);
		assert_int_equal(policy_only_reports(policy), !pins);
		run_long(1);
		assert_int_equal(mock_count(REGPIN_EVENT_DEADLINE), pins);
		assert_int_equal(mock_look(1), pins ? REGPIN_HELD : REGPIN_ENTER);
		mock_close();
	}
}

/* A state that the VMM loads may belong to a kernel that does not write SFMASK. */
static void test_loaded_without_sfmask(void **context)
{
	struct mock_vcpu *vcpu;

	open_with_deadline(ARM_SYSCALL_ENTRY, DEADLINE_MS);
	vcpu = &mock.vcpus[0];
	regpin_vcpu_before_write(vcpu->regpin);
	vcpu->msrs[replay_slot(MSR_LSTAR)] = A;
	vcpu->sregs.cr0 = 0x80010033;
	regpin_vcpu_after_write(vcpu->regpin);
	assert_int_equal(mock_count(REGPIN_EVENT_ARMED), 1);
	run_long(0);
	assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 1);
	assert_false(mock_wrmsr(0, MSR_LSTAR, EVIL));
	mock_close();
}

/* Pins from the start, and no kernel yet: firmware has no deadline. */
static void test_firmware_takes_its_time(void **context)
{
	open_with_deadline(ARM_START, DEADLINE_MS);
	look(0);
	run_long(0);
	run_long(0);
	assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 0);
	assert_int_equal(regpin_vcpu_tick_ms(mock.vcpus[0].regpin), 0);
	boot(0, A, ESP_A, MASK_A);
	is_pinned(0, A, MASK_A);
	mock_close();
}

#define PAT_RESET	0x0007040600070406ull
#define PAT_LINUX	0x0407050600070106ull

static void open_with_pat(uint64_t pat)
{
	struct regpin_policy *policy = policy_of(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_PAT, ALL, REGPIN_GP);
	mock_open(policy);
	for (unsigned int n = 0; n < MOCK_VCPUS; n++)
		mock.vcpus[n].msrs[replay_slot(MSR_PAT)] = PAT_RESET;
	assert_true(mock_wrmsr(0, MSR_PAT, pat));
	boot(0, A, ESP_A, MASK_A);
	boot(1, A, ESP_B, MASK_A);
}

/*
 * If PAT is settled late, that is one event; if it is settled with the other values, it
 * is none.
 */
static void test_late_pat(void **context)
{
	const struct regpin_event *event;

	for (unsigned int n = 0; n < MOCK_VCPUS; n++) {
		open_with_pat(PAT_RESET);
		assert_true(mock_wrmsr(n, MSR_PAT, PAT_RESET));
		assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 0);
		assert_true(mock_wrmsr(n, MSR_PAT, 0));
		assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 1);
		event = &mock.events[mock.nr_events - 1];
		assert_int_equal(event->vcpu, n);
		assert_int_equal(event->index, MSR_PAT);
		assert_int_equal(event->old_value, PAT_RESET);
		assert_int_equal(event->value, 0);
		assert_int_equal(event->detail, 0);
		assert_false(mock_wrmsr(n, MSR_PAT, PAT_LINUX));
		assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 1);
		mock_close();
	}
	open_with_pat(PAT_LINUX);
	assert_false(mock_wrmsr(1, MSR_PAT, 0));
	assert_int_equal(mock_count(REGPIN_EVENT_SETTLED), 0);
	mock_close();
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
	assert_false(vm_armed(mock.vm));
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
		cmocka_unit_test(test_no_sfmask),
		cmocka_unit_test(test_no_sfmask_beside),
		cmocka_unit_test(test_late_without_pins),
		cmocka_unit_test(test_loaded_without_sfmask),
		cmocka_unit_test(test_firmware_takes_its_time),
		cmocka_unit_test(test_late_pat),
		cmocka_unit_test(test_changes_its_thread),
		cmocka_unit_test(test_changes_its_thread_after_init),
		cmocka_unit_test(test_is_unplugged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
