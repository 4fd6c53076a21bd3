// SPDX-License-Identifier: GPL-2.0-only
/* A set-up that is not finished in time, or never. */
#include "life_scene.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_sfmask),
		cmocka_unit_test(test_no_sfmask_beside),
		cmocka_unit_test(test_late_without_pins),
		cmocka_unit_test(test_loaded_without_sfmask),
		cmocka_unit_test(test_firmware_takes_its_time),
		cmocka_unit_test(test_late_pat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
