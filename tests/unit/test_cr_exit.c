// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of KVM's CR filter, and changes found in a control register, in cases that the
 * KVM of a builder's machine does not produce: the vCPU is held, the VM is stopped,
 * INIT is an event, KVM refuses.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/cr_filter.h"
#include "lib/policy/registers.h"
#include "mock_kvm.h"

#include <errno.h>
#include <string.h>


#define CR0_ON		0x80010033ull
#define CR0_OFF		0x80000033ull	/* without WP */
#define CR0_WP		(1ull << 16)
#define CR4_ON		(1ull << 5)

static struct regpin_policy *policy_of(unsigned int action, unsigned int init)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	policy->settings.init_action = (uint8_t)init;
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, CR0_WP, action);
	return policy;
}

static void boot(unsigned int action, unsigned int init)
{
	mock_open(policy_of(action, init));
	mock_look(0);
	mock_boot(0, CR4_ON);
	mock_look(0);
	assert_true(phase_pinned(mock.vcpus[0].regpin->life.phase));
	mock.nr_events = 0;
}

static unsigned int status(void)
{
	struct regpin_event held;

	return regpin_vcpu_status(mock.vcpus[0].regpin, &held);
}

static uint64_t cr0(void)
{
	return mock.vcpus[0].sregs.cr0;
}

/* RIP is before the instruction, nothing is pending, and no register has changed. */
static void hold(void)
{
	mock_mov_cr(0, 0, CR0_OFF);
	assert_int_equal(status() & REGPIN_IS_HELD, REGPIN_IS_HELD);
	assert_int_equal(mock.vcpus[0].run.exit_reason, KVM_EXIT_INTR);
	assert_int_equal(cr0(), CR0_ON);
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 1);
	assert_int_equal(mock_look(0), REGPIN_HELD);
}

static void test_pause_allow(void **context)
{
	boot(REGPIN_PAUSE, REGPIN_ALLOW);
	hold();
	assert_false(regpin_vcpu_answer(mock.vcpus[0].regpin, REGPIN_ALLOW));
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	/*
	 * The answer applies to the same instruction when it runs again, and to no
	 * other one.
	 */
	assert_true(mock_mov_cr(0, 0, CR0_OFF));
	assert_int_equal(cr0(), CR0_OFF);
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 1);
	assert_false(status() & REGPIN_IS_HELD);
	mock_close();
}

static void test_pause_gp(void **context)
{
	boot(REGPIN_PAUSE, REGPIN_ALLOW);
	hold();
	assert_false(regpin_vcpu_answer(mock.vcpus[0].regpin, REGPIN_GP));
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	assert_false(mock_mov_cr(0, 0, CR0_OFF));
	assert_int_equal(cr0(), CR0_ON);
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 1);
	/* The next such write is held again. */
	mock.nr_events = 0;
	hold();
	mock_close();
}

static void test_stop(void **context)
{
	boot(REGPIN_STOP, REGPIN_ALLOW);
	mock_mov_cr(0, 0, CR0_OFF);
	assert_int_equal(cr0(), CR0_ON);
	assert_int_equal(mock.vcpus[0].run.exit_reason, KVM_EXIT_INTR);
	assert_int_equal(mock_look(0), REGPIN_STOPPED);
	assert_int_equal(mock_look(1), REGPIN_STOPPED);
	mock_close();
}

/* If a held access cannot be taken back, the guest gets #GP and the VM is stopped. */
static void test_pause_fails(void **context)
{
	boot(REGPIN_PAUSE, REGPIN_ALLOW);
	mock.fails = KVM_GET_REGS;
	mock.fails_with = EIO;
	assert_false(mock_mov_cr(0, 0, CR0_OFF));
	mock.fails = 0;
	assert_int_equal(cr0(), CR0_ON);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	assert_int_equal(mock_look(0), REGPIN_STOPPED);
	mock_close();
}

static void init_with(unsigned int action, int entry)
{
	boot(REGPIN_GP, action);
	mock_init(0);
	mock_sipi(0);
	assert_int_equal(mock_count(REGPIN_EVENT_INIT), 1);
	assert_int_equal(mock_look(0), entry);
	mock_close();
}

static void test_init(void **context)
{
	init_with(REGPIN_PAUSE, REGPIN_HELD);
	init_with(REGPIN_STOP, REGPIN_STOPPED);
}

/* INIT ends the pins of a vCPU. A second INIT has none to end, so it is no event. */
static void test_init_unarmed(void **context)
{
	boot(REGPIN_GP, REGPIN_PAUSE);
	mock_init(1);
	mock_sipi(1);
	assert_int_equal(mock_count(REGPIN_EVENT_INIT), 0);
	assert_int_equal(mock_look(1), REGPIN_ENTER);
	mock_close();
}

static int cr_exit_of(unsigned int reg, struct regpin_cr_write **w)
{
	struct mock_vcpu *vcpu = &mock.vcpus[0];
	int ret;

	*w = regpin_cr_write(&vcpu->run);
	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
	**w = (struct regpin_cr_write){ .reg = reg, .value = 1 };
	ret = regpin_vcpu_exit(vcpu->regpin);
	regpin_vcpu_leave(vcpu->regpin);
	return ret;
}

/*
 * A write of a register that this library does not know cannot be judged, so it is
 * refused.
 */
static void test_unknown_register(void **context)
{
	struct regpin_cr_write *w;

	boot(REGPIN_GP, REGPIN_ALLOW);
	assert_int_equal(cr_exit_of(NR_CRS, &w), 1);
	assert_int_equal(w->error, 1);
	mock_close();
}

/*
 * Without a rule on control registers the filter is the VMM's, and its exits go to the
 * VMM.
 */
static void test_others_filter(void **context)
{
	struct regpin_cr_write *w;

	boot(REGPIN_GP, REGPIN_ALLOW);
	mock.vm->filters.crs_wanted = false;
	atomic_store(&mock.vm->filters.crs_ever_set, false);
	assert_int_equal(cr_exit_of(0, &w), 0);
	mock_close();
}

/*
 * On a stock KVM a cleared bit is detected later. If it cannot be put back, the VM is
 * stopped.
 */
static void test_put_back_fails(void **context)
{
	struct regpin_policy *policy = policy_of(REGPIN_GP, REGPIN_ALLOW);

	policy->settings.detect_action = REGPIN_MASK;
	policy->rules[1].flags = RULE_OPTIONAL;
	mock_open_stock(policy);
	mock_look(0);
	mock_boot(0, CR4_ON);
	mock_tick(0);
	mock_tick(0);
	assert_true(phase_pinned(mock.vcpus[0].regpin->life.phase));
	assert_true(mock_mov_cr(0, 0, CR0_OFF));
	mock.fails = KVM_SET_SREGS;
	mock.fails_with = EINVAL;
	assert_int_equal(mock_tick(0), REGPIN_STOPPED);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	mock_close();
}

/* NXE of EFER is pinned, and the guest has not cleared it by a write, so an INIT has. */
static void test_init_found_by_efer(void **context)
{
	struct regpin_policy *policy = policy_of(REGPIN_GP, REGPIN_ALLOW);
	const uint64_t left = 0xd01 & ~EFER_NXE;

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	policy->rules[1].flags = RULE_OPTIONAL;
	mock_open_stock(policy);
	mock_look(0);
	mock_boot(0, CR4_ON);
	mock_tick(0);
	mock_tick(0);
	assert_true(phase_pinned(mock.vcpus[0].regpin->life.phase));
	mock.vcpus[0].sregs.efer = left;
	mock.vcpus[0].msrs[replay_slot(MSR_EFER)] = left;
	mock_tick(0);
	assert_false(phase_pinned(mock.vcpus[0].regpin->life.phase));
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
	mock_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pause_allow),
		cmocka_unit_test(test_pause_gp),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_pause_fails),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_init_unarmed),
		cmocka_unit_test(test_unknown_register),
		cmocka_unit_test(test_others_filter),
		cmocka_unit_test(test_put_back_fails),
		cmocka_unit_test(test_init_found_by_efer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
