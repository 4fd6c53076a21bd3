// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events give no value that was not read: of registers that KVM does not have or does
 * not show, and of accesses that the VMM decides.
 */
#include "../build_policy.h"
#include "cm.h"
#include "event/event_json.h"
#include "event/event_parts.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "mock_kvm.h"

#include <errno.h>
#include <string.h>


#define NONSENSE	0x10a2b30u
#define MTRR_DEF_TYPE	0x2ffu
#define HELD		0xc06ull	/* what MTRR_DEF_TYPE holds */
#define BOTH		(REGPIN_UNREAD_OLD | REGPIN_UNREAD_VALUE)
#define FILTER		KVM_MSR_EXIT_REASON_FILTER
#define UNKNOWN		KVM_MSR_EXIT_REASON_UNKNOWN
#define INVAL		KVM_MSR_EXIT_REASON_INVAL

/* An access with its rule and action, and which values its event may not give. */
static const struct one {
	unsigned int rule, action;
	uint32_t index, reason;
	bool write;
	uint32_t vmms;		/* exits that the VMM has requested */
	int fails_with;		/* of KVM_GET_MSRS */
	unsigned int unread;
} ones[] = {
	{ RULE_UNKNOWN, REGPIN_REPORT, NONSENSE, UNKNOWN, true, 0, 0, BOTH },
	{ RULE_UNKNOWN, REGPIN_DROP, NONSENSE, UNKNOWN, true, 0, 0, BOTH },
	{ RULE_UNKNOWN, REGPIN_REPORT, NONSENSE, UNKNOWN, false, 0, 0,
	  REGPIN_UNREAD_VALUE },
	{ RULE_UNKNOWN, REGPIN_DROP, NONSENSE, UNKNOWN, false, 0, 0, 0 },
	{ RULE_UNKNOWN, REGPIN_REPORT, NONSENSE, UNKNOWN, true, UNKNOWN, 0,
	  BOTH },
	{ RULE_INVALID, REGPIN_REPORT, MTRR_DEF_TYPE, INVAL, true, 0, 0, 0 },
	{ RULE_INVALID, REGPIN_DROP, MTRR_DEF_TYPE, INVAL, true, 0, 0, 0 },
	{ RULE_INVALID, REGPIN_REPORT, MTRR_DEF_TYPE, INVAL, true, 0, EIO,
	  BOTH },
	{ RULE_INVALID, REGPIN_REPORT, MTRR_DEF_TYPE, INVAL, true, INVAL, 0,
	  REGPIN_UNREAD_VALUE },
	{ RULE_INVALID, REGPIN_DROP, MTRR_DEF_TYPE, INVAL, true, INVAL, 0, 0 },
	{ RULE_INVALID, REGPIN_REPORT, MTRR_DEF_TYPE, INVAL, false, 0, 0,
	  REGPIN_UNREAD_VALUE },
	{ RULE_DENY, REGPIN_GP, MTRR_DEF_TYPE, FILTER, true, 0, 0, 0 },
	{ RULE_DENY, REGPIN_GP, MTRR_DEF_TYPE, FILTER, true, 0, EIO, BOTH },
	{ RULE_DENY, REGPIN_DROP, MTRR_DEF_TYPE, FILTER, true, 0, EIO, BOTH },
	{ RULE_DENY, REGPIN_STOP, MTRR_DEF_TYPE, FILTER, true, 0, EIO, BOTH },
	{ RULE_DENY, REGPIN_PAUSE, MTRR_DEF_TYPE, FILTER, true, 0, EIO, BOTH },
	{ RULE_DENY, REGPIN_GP, NONSENSE, FILTER, true, 0, 0, BOTH },
	{ RULE_DENY, REGPIN_REPORT, MTRR_DEF_TYPE, FILTER, true, 0, 0, 0 },
	{ RULE_DENY, REGPIN_REPORT, MTRR_DEF_TYPE, FILTER, false, 0, 0, 0 },
	{ RULE_DENY, REGPIN_REPORT, MTRR_DEF_TYPE, FILTER, false, 0, EIO,
	  BOTH },
	{ RULE_DENY, REGPIN_DROP, NONSENSE, FILTER, false, 0, 0,
	  REGPIN_UNREAD_OLD },
	/* The guest's CPU is not Intel's. */
	{ RULE_DENY, REGPIN_REPORT, MSR_FEATURE_CONTROL, FILTER, false, 0, 0,
	  BOTH },
	{ RULE_DENY, REGPIN_GP, MSR_FEATURE_CONTROL, FILTER, true, 0, 0,
	  BOTH },
};

static void open_for(const struct one *one)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	if (one->rule == RULE_DENY)
		add_deny(policy, one->index, 1, ACCESS_READ | ACCESS_WRITE,
			 one->action);
	else
		add_wide(policy, one->rule, one->action, 0, 0);
	mock_open(policy);
	mock.vcpus[0].others[3] = HELD;
	atomic_store(&mock.vm->filters.vmm_mask, one->vmms);
	mock.vcpus[0].regpin->guest.feature_control = 0;
	mock.fails = one->fails_with ? KVM_GET_MSRS : 0;
	mock.fails_with = one->fails_with;
}

static void do_one(const struct one *one)
{
	struct mock_vcpu *vcpu = &mock.vcpus[0];

	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = one->write ? KVM_EXIT_X86_WRMSR :
					     KVM_EXIT_X86_RDMSR;
	vcpu->run.msr.reason = one->reason;
	vcpu->run.msr.index = one->index;
	vcpu->run.msr.data = one->write ? 6 : 0;
	regpin_vcpu_exit(vcpu->regpin);
	mock.fails = 0;
}

/* Returns the only event of @type. */
static const struct regpin_event *find(unsigned int type)
{
	const struct regpin_event *event = mock.events;

	assert_int_equal(mock_count(type), 1);
	while (event->type != type)
		event++;
	return event;
}

/* The JSON line of the event has @key if and only if its value is known. */
static void expect_key(const struct regpin_event *event, const char *key,
		       bool has, size_t i)
{
	char buf[EVENT_LINE_MAX];

	buf[event_json(buf, event, NULL)] = 0;
	if (!!strstr(buf, key) != has)
		fail_msg("%zu: %s: %s", i, key, buf);
}

static void test_accesses(void **context)
{
	for (size_t i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
		const struct one *one = &ones[i];
		const struct regpin_event *event;

		open_for(one);
		mock.nr_events = 0;
		do_one(one);
		event = find(REGPIN_EVENT_VIOLATION);
		if (event->unread != one->unread)
			fail_msg("%zu: unread is %u", i, event->unread);
		if (one->write && event->old_value !=
		    (one->unread & REGPIN_UNREAD_OLD ? 0 : HELD))
			fail_msg("%zu: old is 0x%llx", i, event->old_value);
		expect_key(event, "\"old\"", one->write &&
			   !(one->unread & REGPIN_UNREAD_OLD), i);
		expect_key(event, "\"value\"",
			   !(one->unread & REGPIN_UNREAD_VALUE), i);
		expect_key(event, "\"new\"", one->write, i);
		mock_close();
	}
}

/* An access that the VMM's own filter denies is answered by the VMM. */
static void test_vmms_filter(void **context)
{
	static __u8 none[1];
	const struct kvm_msr_filter filter = {
		.ranges[0] = { KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, 1,
			       MTRR_DEF_TYPE, none },
	};
	struct one one = { RULE_DENY, REGPIN_REPORT, MTRR_DEF_TYPE, FILTER,
			   true, FILTER, 0, REGPIN_UNREAD_VALUE };

	for (int write = 0; write < 2; write++) {
		one.write = write;
		open_for(&one);
		assert_int_equal(regpin_vm_set_msr_filter(mock.vm, &filter), 0);
		mock.nr_events = 0;
		do_one(&one);
		assert_int_equal(find(REGPIN_EVENT_VIOLATION)->unread,
				 REGPIN_UNREAD_VALUE);
		mock_close();
	}
}

#define SMEP	(1ull << 20)

/* A vCPU that starts while no pins hold, and arms without the required bits. */
static void test_lacking(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	const struct regpin_event *event;

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_rule(policy, RULE_REQUIRE, REGPIN_CR4, 0, SMEP, REGPIN_GP);
	mock_open(policy);
	regpin_vm_window(mock.vm, 0);
	mock_boot(0, SMEP | 0x20);
	mock_boot(1, 0x20);
	mock.nr_events = 0;
	assert_int_equal(regpin_vm_arm(mock.vm), 0);
	for (unsigned int i = 0; i < 2; i++)
		mock_look(i);
	event = find(REGPIN_EVENT_DETECTED);
	assert_int_equal(event->unread, REGPIN_UNREAD_OLD);
	assert_int_equal(event->new_value, 0x20);
	assert_int_equal(event->value, 0x20);
	expect_key(event, "\"old\"", false, 0);
	expect_key(event, "\"new\":\"0x20\"", true, 0);
	expect_key(event, "\"value\":\"0x20\"", true, 0);
	mock_close();
}

/*
 * KVM does not show the control registers around a write of the VMM, so none counts as
 * lowered.
 */
static void test_vmm_write(void **context)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, SMEP, REGPIN_GP);
	mock_open(policy);
	mock_boot(0, SMEP | 0x20);
	regpin_vcpu_before_write(mock.vcpus[0].regpin);
	mock.fails = KVM_GET_SREGS;
	mock.fails_with = EIO;
	regpin_vcpu_after_write(mock.vcpus[0].regpin);
	mock.fails = 0;
	assert_int_equal(mock_count(REGPIN_EVENT_VMM_WRITE), 0);
	regpin_vcpu_before_write(mock.vcpus[0].regpin);
	mock.vcpus[0].sregs.cr4 = 0x20;
	regpin_vcpu_after_write(mock.vcpus[0].regpin);
	assert_int_equal(mock_count(REGPIN_EVENT_VMM_WRITE), 1);
	mock_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_vmms_filter),
		cmocka_unit_test(test_lacking),
		cmocka_unit_test(test_vmm_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
