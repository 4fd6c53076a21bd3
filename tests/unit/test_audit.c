// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy is tightened while the VM runs. Each value that the new policy forbids is
 * reported once, for the vCPU that has it, and nothing is changed.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "mock_kvm.h"

#include <errno.h>
#include <string.h>


#define CR0_WP	(1ull << 16)
#define SMEP	(1ull << 20)
#define SMAP	(1ull << 21)
#define CR4_ON	(1ull << 5 | SMEP | SMAP)
#define SVME	(1ull << 12)
#define OTHER	0xffffffff82000000ull

#define TIGHT	5	/* the number of that policy */

static struct regpin_policy *loose, *tight;

/* Opens a VM with two vCPUs that are set up, under a policy with hardly any pin. */
static void open_loose(void)
{
	loose = new_policy(ARM_SYSCALL_ENTRY);
	tight = new_policy(ARM_SYSCALL_ENTRY);
	regpin_policy_set_number(tight, TIGHT);
	add_pin(loose, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_GP);
	add_pin(loose, RULE_STICKY, MSR_EFER, EFER_SCE, REGPIN_GP);
	mock_open(loose);
	for (unsigned int i = 0; i < 2; i++)
		mock_boot(i, CR4_ON);
	for (unsigned int i = 0; i < 2; i++)
		regpin_vcpu_enter(mock.vcpus[i].regpin);
	assert_int_equal(mock.vcpus[1].regpin->life.phase, PHASE_READY);
	mock.nr_events = 0;
}

static void enter_all(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		regpin_vcpu_enter(mock.vcpus[i].regpin);
		regpin_vcpu_leave(mock.vcpus[i].regpin);
	}
}

/* Swaps to the policy @tight, and each vCPU enters. */
static void tighten(void)
{
	assert_int_equal(finish_policy(tight), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, tight), 0);
	enter_all();
	assert_int_equal(regpin_vm_policy_done(mock.vm), 0);
}

static void close_all(void)
{
	mock_close();
	free(tight);
}

/* There is exactly one event, and no other one follows. */
static void expect_only(unsigned int vcpu, unsigned int kind, uint32_t index,
			uint64_t old, uint64_t now, uint64_t bits)
{
	const struct regpin_event *event = &mock.events[0];

	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 1);
	while (event->type != REGPIN_EVENT_DETECTED)
		event++;
	assert_int_equal(event->vcpu, vcpu);
	assert_int_equal(event->kind, kind);
	assert_int_equal(event->index, index);
	/* `require` applies to the current values. */
	if (event->unread)
		assert_int_equal(event->unread, REGPIN_UNREAD_OLD);
	assert_int_equal(event->old_value, old);
	assert_int_equal(event->new_value, now);
	assert_int_equal(event->value, now);
	assert_int_equal(event->bits, bits);
	assert_int_equal(event->action, REGPIN_REPORT);
	assert_int_equal(event->detail, REGPIN_FOUND_BY_POLICY);
	assert_int_equal(event->policy, TIGHT);
	assert_int_not_equal(event->rule, REGPIN_NO_RULE);
	vm_alert(mock.vm);
	enter_all();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 1);
}

static uint64_t *msr(unsigned int vcpu, uint32_t index)
{
	return &mock.vcpus[vcpu].msrs[replay_slot(index)];
}

static void test_nothing(void **context)
{
	open_loose();
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(tight, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(tight, RULE_NEVER, MSR_EFER, SVME, REGPIN_GP);
	add_pin(tight, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_GP);
	add_rule(tight, RULE_STICKY, REGPIN_CR4, 0, SMEP | SMAP, REGPIN_GP);
	add_rule(tight, RULE_REQUIRE, REGPIN_CR4, 0, SMEP | SMAP, REGPIN_GP);
	add_deny(tight, MSR_PAT, 1, ACCESS_WRITE, REGPIN_GP);
	tighten();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
	close_all();
}

static void test_uniform(void **context)
{
	uint64_t old;

	open_loose();
	old = *msr(1, MSR_LSTAR);
	*msr(1, MSR_LSTAR) = OTHER;
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	tighten();
	expect_only(1, REGPIN_MSR, MSR_LSTAR, old, OTHER, ALL);
	close_all();
}

/*
 * The caller chooses the numbers, so a policy is compared even if its number is the
 * previous policy's.
 */
static void test_no_number(void **context)
{
	open_loose();
	*msr(1, MSR_LSTAR) = OTHER;
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	regpin_policy_set_number(tight, loose->number);
	tighten();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 1);
	/* The value is reported once more when the same policy comes again. */
	assert_int_equal(regpin_vm_set_policy(mock.vm, loose), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, tight), 0);
	enter_all();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 2);
	close_all();
}

static void test_sticky(void **context)
{
	uint64_t old;

	open_loose();
	old = *msr(0, MSR_EFER);
	assert_true(old & EFER_NXE);
	*msr(0, MSR_EFER) = old & ~EFER_NXE;
	add_pin(tight, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_STOP);
	tighten();
	expect_only(0, REGPIN_MSR, MSR_EFER, old, old & ~EFER_NXE, EFER_NXE);
	assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin), REGPIN_ENTER);
	close_all();
}

/* The value may have been set before the vCPU was armed. */
static void test_never(void **context)
{
	uint64_t old;

	open_loose();
	*msr(1, MSR_EFER) |= SVME;
	mock.vcpus[1].regpin->life.set_up_values.msrs[replay_slot(MSR_EFER)] |=
		SVME;
	old = *msr(1, MSR_EFER);
	add_pin(tight, RULE_NEVER, MSR_EFER, SVME, REGPIN_GP);
	tighten();
	expect_only(1, REGPIN_MSR, MSR_EFER, old, old, SVME);
	close_all();
}

static void test_once(void **context)
{
	uint64_t old;

	open_loose();
	old = *msr(1, MSR_STAR);
	*msr(1, MSR_STAR) = OTHER;
	add_pin(tight, RULE_ONCE, MSR_STAR, ALL, REGPIN_GP);
	tighten();
	expect_only(1, REGPIN_MSR, MSR_STAR, old, OTHER, ALL);
	close_all();
}

static void test_cr(void **context)
{
	uint64_t old;

	open_loose();
	old = mock.vcpus[0].sregs.cr4;
	mock.vcpus[0].sregs.cr4 &= ~SMAP;
	add_rule(tight, RULE_STICKY, REGPIN_CR4, 0, SMEP | SMAP, REGPIN_GP);
	tighten();
	expect_only(0, REGPIN_CR4, 0, old, old & ~SMAP, SMAP);
	close_all();
}

/* Two rules on registers of two vCPUs: each vCPU is named. */
static void test_several(void **context)
{
	open_loose();
	mock.vcpus[0].sregs.cr4 &= ~SMAP;
	*msr(0, MSR_STAR) = OTHER;
	*msr(1, MSR_STAR) = OTHER + 1;
	add_rule(tight, RULE_STICKY, REGPIN_CR4, 0, SMAP, REGPIN_GP);
	add_pin(tight, RULE_ONCE, MSR_STAR, ALL, REGPIN_GP);
	add_pin(tight, RULE_FROZEN, MSR_EFER, SVME, REGPIN_GP);
	*msr(1, MSR_EFER) |= SVME;
	tighten();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 4);
	close_all();
}

/* A vCPU that was started beside the first one lacks a bit that is now required. */
static void test_require(void **context)
{
	open_loose();
	mock.vcpus[1].sregs.cr4 &= ~SMEP;
	add_rule(tight, RULE_REQUIRE, REGPIN_CR4, 0, SMEP | SMAP, REGPIN_GP);
	tighten();
	expect_only(1, REGPIN_CR4, 0, 0, CR4_ON & ~SMEP, SMEP);
	close_all();
}

/* If KVM does not show the registers, nothing is reported. */
static void test_blind(void **context)
{
	open_loose();
	mock.vcpus[1].sregs.cr4 &= ~SMEP;
	add_rule(tight, RULE_REQUIRE, REGPIN_CR4, 0, SMEP | SMAP, REGPIN_GP);
	add_rule(tight, RULE_NEVER, REGPIN_CR0, 0, 1ull << 31, REGPIN_GP);
	mock.fails = KVM_GET_SREGS;
	mock.fails_with = EIO;
	tighten();
	mock.fails = 0;
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
	close_all();
}

/*
 * While a nested guest runs, KVM shows other registers. The vCPU is compared when it is
 * back.
 */
static void test_elsewhere(void **context)
{
	open_loose();
	*msr(1, MSR_LSTAR) = OTHER;
	mock.vcpus[1].run.flags |= 1 << 2;	/* KVM_RUN_X86_GUEST_MODE */
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	tighten();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
	assert_int_not_equal(regpin_vcpu_tick_ms(mock.vcpus[1].regpin), 0);
	mock.vcpus[1].run.flags = 0;
	enter_all();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 1);
	close_all();
}

/* While a window is open no pin holds. */
static void test_window(void **context)
{
	open_loose();
	*msr(1, MSR_LSTAR) = OTHER;
	regpin_vm_window(mock.vm, 0);
	enter_all();
	add_pin(tight, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	tighten();
	assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_no_number),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_cr),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_require),
		cmocka_unit_test(test_blind),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
