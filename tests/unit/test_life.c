// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a kernel's syscall set-up: until then its own writes of the registers must
 * pass, after it they are pinned. Both faults are tested: a kernel that gets #GP for its
 * own set-up, and one whose set-up never ends.
 */
#include "cm.h"

#include <string.h>

#include "../build_policy.h"
#include "floor.h"
#include "lifecycle.h"
#include "mock_kvm.h"

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

/* The VM, with its gate as vm_attach() leaves it. */
static void open_vm(unsigned int arming)
{
	mock_open(policy_of(arming));
	if (arming == ARM_OPERATOR || arming == ARM_REQUEST)
		mock.vm->gate = GATE_CLOSED;
}

static void look(unsigned int n)
{
	struct regpin_vcpu *vcpu = mock.vcpus[n].regpin;

	vcpu_alert(vcpu);
	assert_int_equal(regpin_vcpu_enter(vcpu), REGPIN_ENTER);
	regpin_vcpu_leave(vcpu);
}

static void arm(unsigned int arming)
{
	if (arming == ARM_REQUEST)
		lifecycle_request(mock.vcpus[0].regpin);
	else
		assert_int_equal(regpin_vm_arm(mock.vm), 0);
	look(0);
}

/* What is left of Linux's syscall_init() after LSTAR; all of it must be done. */
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

/* Set up, and pinned: the VM's values are @kernel's. */
static void is_pinned(unsigned int n, uint64_t kernel, uint64_t mask)
{
	assert_true(mock.vcpus[n].regpin->setup_done);
	assert_false(mock_wrmsr(n, MSR_LSTAR, EVIL));
	assert_false(mock_wrmsr(n, MSR_SFMASK, mask ^ 0x100));
	assert_true(mock_wrmsr(n, MSR_LSTAR, kernel));
	assert_true(mock_wrmsr(n, MSR_SFMASK, mask));
}

/* KVM on VMX clears the SYSENTER MSRs at INIT; other syscall MSRs stay everywhere. */
static void init_sipi(unsigned int n, bool clears)
{
	mock_init(n);
	for (int slot = 0; clears && slot < 3; slot++)
		mock.vcpus[n].msrs[slot] = 0;
	mock_sipi(n);
}

/* How a VMM may write a reset. */
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

static const unsigned int by_word[] = { ARM_OPERATOR, ARM_REQUEST };

/*
 * A kernel has come up while the gate is closed, and the VMM resets the VM. What that
 * kernel had done counted for the next one: it was through at its LSTAR.
 */
static void test_reset_before_arming(void **context)
{
	for (int i = 0; i < 2 * NR_RESETS * 2; i++) {
		unsigned int arming = by_word[i & 1];
		enum reset how = (enum reset)(i / 2 % NR_RESETS);
		bool whole = i / 2 / NR_RESETS;

		open_vm(arming);
		mock.vcpus[0].sregs.cr0 = 0x80010033;
		/* Whole, or only as far as SFMASK, as some write that first. */
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
 * Kernel A has come up while the gate is closed, or in a window; kernel B, by kexec, is
 * between LSTAR and CSTAR when the pins are to hold: the look took it for A.
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
		assert_false(mock.vcpus[0].regpin->setup_done);
		finish(0, B, ESP_B, MASK_B);
		is_pinned(0, B, MASK_B);
		assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 2);
		mock_close();
	}
}

/* A kernel that has only been through once is pinned by the operator's word alone. */
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

/* In a window a kernel may begin with SFMASK: it is not through when the window ends. */
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
 * A CPU goes off and on before its VM arms. Its INIT left what it had written, and what
 * is known of it: LSTAR alone made it through.
 */
static void test_init_before_arming(void **context)
{
	for (int i = 0; i < 8; i++) {
		unsigned int arming = by_word[i & 1];

		open_vm(arming);
		boot(0, A, ESP_A, MASK_A);
		boot(1, A, ESP_A + 0x100, MASK_A);
		init_sipi(1, i & 2);
		/* Armed before its LSTAR, or after it. */
		if (i & 4)
			arm(arming);
		assert_true(mock_wrmsr(1, MSR_LSTAR, A));
		if (!(i & 4))
			arm(arming);
		look(1);
		assert_false(mock.vcpus[1].regpin->setup_done);
		finish(1, A, ESP_A + 0x100, MASK_A);
		is_pinned(1, A, MASK_A);
		assert_false(mock_wrmsr(1, MSR_SYSENTER_ESP, ESP_B));
		mock_close();
	}
}

/*
 * With pins from the first instruction a CPU stays armed over its INIT. The MSRs that
 * it had before made it through at once, and `once` refused what the kernel puts back.
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
		assert_true(mock.vcpus[1].regpin->armed);
		assert_false(mock.vcpus[1].regpin->setup_done);
		boot(1, A, ESP_A + 0x100, MASK_A);
		is_pinned(1, A, MASK_A);
		assert_false(mock_wrmsr(1, MSR_SYSENTER_ESP, ESP_B));
		mock_close();
	}
}

/* `window --once` ends with a kernel's set-up, not with halves of two. */
static void test_once_over_an_init(void **context)
{
	open_vm(ARM_SYSCALL_ENTRY);
	boot(0, A, ESP_A, MASK_A);
	boot(1, A, ESP_A + 0x100, MASK_A);
	regpin_vm_window(mock.vm, 1);
	assert_true(mock_wrmsr(1, MSR_LSTAR, B));
	init_sipi(1, false);
	assert_true(mock_wrmsr(1, MSR_SFMASK, MASK_B));
	assert_int_equal(mock.vm->gate, GATE_WINDOW);
	init_sipi(1, false);
	boot(1, B, ESP_B, MASK_B);
	assert_int_equal(mock.vm->gate, GATE_OPEN);
	mock_close();
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
