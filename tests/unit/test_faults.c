// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's ioctls fail, one after the other, each in every way. Pins hold nevertheless; an
 * access that cannot be performed is a #GP and an event; a policy that cannot be put in
 * force stops the VM.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "mock_kvm.h"

#include <errno.h>
#include <string.h>


#define KERNEL		0xffffffff81000000ull
#define CR0_WP		(1ull << 16)
#define CR4_ON		(1ull << 5 | 1ull << 20)
#define EFER_ON		0xd01ull

static const struct fault {
	const char *name;
	unsigned long request;
} faults[] = {
	{ "KVM_GET_MSRS", KVM_GET_MSRS },
	{ "KVM_SET_MSRS", KVM_SET_MSRS },
	{ "KVM_GET_REGS", KVM_GET_REGS },
	{ "KVM_SET_REGS", KVM_SET_REGS },
	{ "KVM_GET_SREGS", KVM_GET_SREGS },
	{ "KVM_GET_XCRS", KVM_GET_XCRS },
	{ "KVM_GET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS },
	{ "KVM_SET_VCPU_EVENTS", KVM_SET_VCPU_EVENTS },
	{ "KVM_GET_MP_STATE", KVM_GET_MP_STATE },
	{ "KVM_RUN", KVM_RUN },
	{ "KVM_X86_SET_CR_FILTER", KVM_X86_SET_CR_FILTER },
	{ "KVM_X86_SET_MSR_FILTER", KVM_X86_SET_MSR_FILTER },
};

static const int errors[] = { 0, EINVAL, EFAULT, EIO, ENOMEM, EINTR, EBADF };

#define NR(x)	(sizeof(x) / sizeof((x)[0]))

static struct regpin_policy *policy_of(unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, action);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, action);
	add_pin(policy, RULE_FROZEN, MSR_SYSENTER_EIP, ALL, action);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, CR0_WP, action);
	return policy;
}

static uint64_t msr(unsigned int vcpu, uint32_t index)
{
	return mock.vcpus[vcpu].msrs[replay_slot(index)];
}

/* The attack that a guest would try while the host's calls fail. */
static void attack(const char *what)
{
	const uint32_t lstar = MSR_LSTAR, efer = MSR_EFER;

	if (mock_wrmsr(0, efer, EFER_ON & ~EFER_NXE) &&
	    !(msr(0, efer) & EFER_NXE))
		fail_msg("%s: NXE is gone", what);
	mock_wrmsr(0, lstar, KERNEL + 0x1000);
	mock_wrmsr(0, MSR_SYSENTER_EIP, KERNEL + 8);
	mock_mov_cr(0, 0, 0x80000033);
	if (!(msr(0, efer) & EFER_NXE) || msr(0, lstar) != KERNEL ||
	    msr(0, MSR_SYSENTER_EIP) || !(mock.vcpus[0].sregs.cr0 & CR0_WP))
		fail_msg("%s: a write passed its pin", what);
	if (!phase_pinned(mock.vcpus[0].regpin->life.phase))
		fail_msg("%s: the vCPU is no longer armed", what);
}

static void one_fault(const struct fault *fault, int err, unsigned int action)
{
	char what[96];

	snprintf(what, sizeof(what), "%s, %s, %s", fault->name,
		 err ? strerror(err) : "none done",
		 regpin_action_names[action]);
	mock_open(policy_of(action));
	mock_boot(0, CR4_ON);
	assert_true(phase_pinned(mock.vcpus[0].regpin->life.phase));
	mock.fails = fault->request;
	mock.fails_with = err;
	attack(what);
	mock.fails = 0;
	attack(what);
	mock_close();
}

static void test_pins_hold(void **context)
{
	for (size_t i = 0; i < NR(faults); i++)
		for (size_t e = 0; e < NR(errors); e++) {
			one_fault(&faults[i], errors[e], REGPIN_GP);
			one_fault(&faults[i], errors[e], REGPIN_MASK);
		}
}

/*
 * The write is allowed, but KVM fails to do it. It is never half done, and is reported
 * if the fault is KVM's.
 */
static void test_write_refused(void **context)
{
	for (size_t e = 0; e < NR(errors); e++) {
		/* For a wrong value KVM returns that no MSR was set, or EINVAL. */
		bool guests = !errors[e] || errors[e] == EINVAL;

		mock_open(policy_of(REGPIN_GP));
		mock_boot(0, CR4_ON);
		mock.nr_events = 0;
		mock.fails = KVM_SET_MSRS;
		mock.fails_with = errors[e];
		assert_false(mock_wrmsr(0, MSR_EFER, EFER_ON | EFER_SVME));
		assert_int_equal(msr(0, MSR_EFER), EFER_ON);
		assert_int_equal(mock_count(REGPIN_EVENT_FAILED), !guests);
		if (!guests) {
			assert_int_equal(mock.events[0].detail, errors[e]);
			assert_int_equal(mock.events[0].index, MSR_EFER);
			assert_int_equal(mock.events[0].action, REGPIN_GP);
		}
		mock.fails = 0;
		assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON | EFER_SVME));
		mock_close();
	}
}

/* A failed write of LSTAR does not arm the vCPU, and a successful one does. */
static void test_not_armed_by_nothing(void **context)
{
	for (size_t e = 0; e < NR(errors); e++) {
		mock_open(policy_of(REGPIN_GP));
		assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON));
		mock.fails = KVM_SET_MSRS;
		mock.fails_with = errors[e];
		assert_false(mock_wrmsr(0, MSR_LSTAR, KERNEL));
		assert_int_equal(msr(0, MSR_LSTAR), 0);
		assert_false(phase_pinned(mock.vcpus[0].regpin->life.phase));
		assert_int_equal(mock_count(REGPIN_EVENT_ARMED), 0);
		mock.fails = 0;
		assert_true(mock_wrmsr(0, MSR_LSTAR, KERNEL));
		assert_true(phase_pinned(mock.vcpus[0].regpin->life.phase));
		mock_close();
	}
}

/* The old value cannot be read, so what the write would change is unknown. */
static void test_read_refused(void **context)
{
	for (size_t e = 0; e < NR(errors); e++) {
		mock_open(policy_of(REGPIN_GP));
		mock_boot(0, CR4_ON);
		mock.nr_events = 0;
		mock.fails = KVM_GET_MSRS;
		mock.fails_with = errors[e];
		assert_false(mock_wrmsr(0, MSR_EFER, EFER_ON));
		assert_int_equal(msr(0, MSR_EFER), EFER_ON);
		assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
		mock_close();
	}
}

/* Without a filter, there is no VM. */
static void test_filter_refused(void **context)
{
	static const unsigned long requests[] = {
		KVM_X86_SET_MSR_FILTER, KVM_ENABLE_CAP, KVM_X86_SET_CR_FILTER,
	};

	for (size_t i = 0; i < NR(requests); i++) {
		struct regpin_policy *other = policy_of(REGPIN_GP);

		mock_open(policy_of(REGPIN_GP));
		mock_boot(0, CR4_ON);
		add_deny(other, 0x8b, 1, ACCESS_WRITE, REGPIN_GP);
		assert_int_equal(finish_policy(other), 0);
		mock.fails = requests[i];
		mock.fails_with = ENOMEM;
		assert_int_equal(regpin_vm_set_policy(mock.vm, other), 0);
		assert_int_equal(regpin_vm_policy_done(mock.vm), -ENOMEM);
		assert_int_equal(mock_count(REGPIN_EVENT_POLICY), 0);
		for (unsigned int v = 0; v < MOCK_VCPUS; v++)
			assert_int_equal(
				regpin_vcpu_enter(mock.vcpus[v].regpin),
				REGPIN_STOPPED);
		mock_close();
		free(other);
	}
}

/* The first vCPU that arms installs the CR filter. */
static void test_no_cr_filter(void **context)
{
	mock_open(policy_of(REGPIN_GP));
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON));
	assert_true(mock_mov_cr(0, 0, 0x80010033));
	mock.fails = KVM_X86_SET_CR_FILTER;
	mock.fails_with = ENOMEM;
	mock_wrmsr(0, MSR_LSTAR, KERNEL);
	assert_int_equal(mock.nr_filters, 0);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin),
			 REGPIN_STOPPED);
	mock_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pins_hold),
		cmocka_unit_test(test_write_refused),
		cmocka_unit_test(test_not_armed_by_nothing),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_filter_refused),
		cmocka_unit_test(test_no_cr_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
