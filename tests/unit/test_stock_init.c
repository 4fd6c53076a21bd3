// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KVM without the CR filter does not report an INIT: it must be detected by the bits that
 * it cleared, whatever the guest does next, and no other change may be taken for one.
 */
#include "lib/kvm/regs.h"
#include "stock_scene.h"

/* INIT, and then any kind of paging before the next poll. */
static void test_init_into_paging(void **context)
{
	static const uint64_t paging[] = { CR0_ON, CR0_ON & ~CR0_WP, 0x80000011 };

	for (int i = 0; i < 3; i++) {
		mock_open_stock(linux_policy());
		boot(0);
		boot(1);
		mock_tick(1);
		mock_init(1);
		mock.vcpus[1].sregs.cr0 = paging[i];
		mock.vcpus[1].sregs.cr4 = CR4_ON;
		mock_tick(1);
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
		assert_false(phase_pinned(mock.vcpus[1].regpin->life.phase));
		/* The floor applies to it: without NXE it cannot arm. */
		assert_false(set_lstar(1));
		assert_int_equal(regpin_vcpu_tick_ms(mock.vcpus[1].regpin), 50);
		mock_close();
	}
}

/* The guest sets EFER first: the write shows that EFER was lost, with any action. */
static void test_init_and_efer(void **context)
{
	for (unsigned int action = REGPIN_REPORT; action <= REGPIN_GP;
	     action++) {
		struct regpin_policy *policy = linux_policy();

		policy->rules[1].action = (uint8_t)action;
		mock_open_stock(policy);
		boot(0);
		boot(1);
		mock_init(1);
		assert_true(mock_wrmsr(1, MSR_EFER, EFER_SCE));
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
		assert_false(phase_pinned(mock.vcpus[1].regpin->life.phase));
		mock_close();
	}
}

/* With pins from the start the vCPU stays armed, and the INIT is an event. */
static void test_init_with_pins_from_start(void **context)
{
	struct regpin_policy *policy = linux_policy();

	policy->arming = ARM_START;
	mock_open_stock(policy);
	mock_look(0);
	mock_look(1);
	boot(0);
	boot(1);
	mock_init(1);
	mock.vcpus[1].sregs.cr0 = CR0_ON;
	mock.vcpus[1].sregs.cr4 = CR4_ON;
	mock_tick(1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
	assert_true(phase_pinned(mock.vcpus[1].regpin->life.phase));
	assert_int_not_equal(mock.vcpus[1].regpin->life.phase, PHASE_READY);
	assert_false(set_lstar(1));
	mock_tick(1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
	mock_close();
}

/* Changes that are not an INIT, and must not disarm the vCPU. */
static void test_no_init(void **context)
{
	const uint16_t where[] = { IN_SMM, IN_L2, IN_L2_OLD };
	struct mock_vcpu *vcpu;
	uint64_t *efer;

	mock_open_stock(linux_policy());
	vcpu = &mock.vcpus[0];
	efer = &vcpu->msrs[replay_slot(MSR_EFER)];
	boot(0);
	/* The guest may clear a bit without a rule. */
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_SCE));
	mock_tick(0);
	/* Paging off and on again clears and sets LMA, too. */
	vcpu->sregs.efer = *efer &= ~EFER_LMA;
	vcpu->sregs.cr0 &= ~(1ull << 31);
	mock_tick(0);
	vcpu->sregs.cr0 |= 1ull << 31;
	vcpu->sregs.efer = *efer |= EFER_LMA;
	mock_tick(0);
	/* In SMM, and in a nested guest, KVM shows other registers. */
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		goes_to(0, where[i]);
		vcpu->sregs.efer = *efer = vcpu->sregs.cr0 = 0;
		mock_tick(0);
		goes_to(0, 0);
		vcpu->sregs.cr0 = CR0_ON;
		vcpu->sregs.efer = *efer = EFER_ON;
		mock_tick(0);
	}
	/* The VMM clears NXE, which is an event of its own. */
	regpin_vcpu_before_write(vcpu->regpin);
	vcpu->sregs.efer = *efer = EFER_ON & ~EFER_NXE;
	regpin_vcpu_after_write(vcpu->regpin);
	mock_tick(0);
	assert_int_equal(mock_count(REGPIN_EVENT_VMM_WRITE), 1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	assert_true(phase_pinned(vcpu->regpin->life.phase));
	mock_close();
}

/* An operator may allow a write that clears a pinned bit: that is not an INIT, either. */
static void test_allowed_is_no_init(void **context)
{
	struct regpin_policy *policy = linux_policy();
	struct regpin_vcpu *vcpu;

	policy->rules[1].action = REGPIN_PAUSE;
	mock_open_stock(policy);
	vcpu = mock.vcpus[0].regpin;
	boot(0);
	mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE);
	assert_int_equal(mock_look(0), REGPIN_HELD);
	assert_false(regpin_vcpu_answer(vcpu, REGPIN_ALLOW));
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE));
	mock_tick(0);
	assert_int_equal(mock.vcpus[0].sregs.efer, EFER_ON & ~EFER_NXE);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	mock_close();
}

/* The same for writes of the guest while no policy filtered them. */
static void test_unseen_is_no_init(void **context)
{
	struct regpin_policy *other = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *own = linux_policy();

	add_pin(other, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	assert_int_equal(finish_policy(other), 0);
	mock_open_stock(own);
	boot(0);
	assert_false(regpin_vm_set_policy(mock.vm, other));
	mock_look(0);
	assert_true(regpin_vm_settled(mock.vm));
	mock.vcpus[0].sregs.efer = EFER_ON & ~EFER_NXE;
	mock.vcpus[0].msrs[replay_slot(MSR_EFER)] = EFER_ON & ~EFER_NXE;
	assert_false(regpin_vm_set_policy(mock.vm, own));
	mock_tick(0);
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE));
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	mock_close();
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_into_paging),
		cmocka_unit_test(test_init_and_efer),
		cmocka_unit_test(test_init_with_pins_from_start),
		cmocka_unit_test(test_no_init),
		cmocka_unit_test(test_allowed_is_no_init),
		cmocka_unit_test(test_unseen_is_no_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
