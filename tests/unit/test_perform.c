// SPDX-License-Identifier: GPL-2.0-only
/* A write that regpin performs for the guest, when KVM or the guest do not cooperate. */
#include "../build_policy.h"
#include "cm.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#include <errno.h>
#include <string.h>


#define MTRR_DEF_TYPE	0x2ffu
#define WILD_EIP	0x1234567890abcdefull	/* KVM would make it canonical */

/* Reports all accesses to @index, from the start, whatever the register's value. */
static void open_reporting(uint32_t index)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_deny(policy, index, 1, ACCESS_READ | ACCESS_WRITE, REGPIN_REPORT);
	mock_open(policy);
}

static void open_pinned(unsigned int type, uint32_t index, uint64_t mask,
			unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_pin(policy, type, index, mask, action);
	mock_open(policy);
}

/* Returns true if it was read, false for #GP. */
static bool mock_rdmsr(unsigned int n, uint32_t index, uint64_t *value)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_RDMSR;
	vcpu->run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	vcpu->run.msr.index = index;
	vcpu->run.msr.data = 0xdead;
	vcpu->run.msr.error = 0;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	regpin_vcpu_leave(vcpu->regpin);
	*value = vcpu->run.msr.data;
	return !vcpu->run.msr.error;
}

static struct regpin_event last_violation(void)
{
	for (unsigned int i = mock.nr_events; i-- > 0;)
		if (mock.events[i].type == REGPIN_EVENT_VIOLATION)
			return mock.events[i];
	fail();
	return mock.events[0];
}

/* As without regpin: #GP, and only the attempt is an event. */
static void test_refused(void **context)
{
	open_reporting(MTRR_DEF_TYPE);
	assert_true(mock_wrmsr(0, MTRR_DEF_TYPE, 0xc06));
	mock.failing_set = mock.nr_sets + 1;
	assert_false(mock_wrmsr(0, MTRR_DEF_TYPE, 0x806));
	assert_int_equal(mock.vcpus[0].others[3], 0xc06);
	assert_int_equal(last_violation().value, 0xc06);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 0);
	mock_close();
}

static void test_fails(void **context)
{
	open_reporting(MTRR_DEF_TYPE);
	assert_true(mock_wrmsr(0, MTRR_DEF_TYPE, 0xc06));
	mock.failing_set = mock.nr_sets + 1;
	mock.failing_errno = EIO;
	assert_false(mock_wrmsr(0, MTRR_DEF_TYPE, 0x806));
	assert_int_equal(mock.vcpus[0].others[3], 0xc06);
	assert_int_equal(last_violation().value, 0xc06);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	mock_close();
}

/*
 * The value that KVM makes of a wild SYSENTER_EIP is found by a trial, which is undone.
 * If the undoing fails, the register has a value that the policy may forbid, so the VM
 * must not run on.
 */
static void test_trial_stays(void **context)
{
	open_pinned(RULE_FROZEN, MSR_SYSENTER_EIP, ALL, REGPIN_GP);
	mock.vcpus[0].msrs[replay_slot(MSR_SYSENTER_EIP)] = 0x1000;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_EIP, WILD_EIP));
	assert_int_equal(mock.vcpus[0].msrs[replay_slot(MSR_SYSENTER_EIP)],
			 0x1000);
	assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin), REGPIN_ENTER);
	regpin_vcpu_leave(mock.vcpus[0].regpin);

	mock.failing_set = mock.nr_sets + 2;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_EIP, WILD_EIP));
	assert_int_not_equal(regpin_vcpu_enter(mock.vcpus[0].regpin),
			     REGPIN_ENTER);
	assert_int_not_equal(regpin_vcpu_enter(mock.vcpus[1].regpin),
			     REGPIN_ENTER);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	mock_close();
}

/* If KVM does not show the current value there is no trial, which would "restore" a 0. */
static void test_no_trial(void **context)
{
	open_pinned(RULE_FROZEN, MSR_SYSENTER_EIP, 0xff, REGPIN_REPORT);
	mock.vcpus[0].msrs[replay_slot(MSR_SYSENTER_EIP)] = 0x1000;
	mock.fails = KVM_GET_MSRS;
	mock.fails_with = EIO;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_EIP, WILD_EIP));
	assert_int_equal(mock.nr_sets, 0);
	assert_int_equal(mock.vcpus[0].msrs[replay_slot(MSR_SYSENTER_EIP)],
			 0x1000);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	mock_close();
}

/* The same when regpin measures which bits KVM keeps. */
static void test_measure(void **context)
{
	const struct kvm_cpuid2 none = { 0 };
	struct regpin_vcpu *vcpu;

	for (unsigned int way = 0; way < 2; way++) {
		open_reporting(MSR_SYSENTER_EIP);
		vcpu = mock.vcpus[0].regpin;
		mock.vcpus[0].msrs[replay_slot(MSR_SYSENTER_EIP)] = 0x1000;
		mock.fails = way ? 0 : KVM_GET_MSRS;
		mock.fails_with = EIO;
		mock.failing_set = way ? 2 : 0;
		mock.failing_errno = EIO;
		assert_int_equal(regpin_vcpu_set_cpuid(vcpu, &none), 0);
		assert_int_equal(mock_count(REGPIN_EVENT_FAILED), way);
		assert_int_equal(regpin_vcpu_enter(vcpu) == REGPIN_STOPPED, way);
		if (!way)
			assert_int_equal(mock.nr_sets, 0);
		mock_close();
	}
}

/*
 * To undo or complete an access is not a trial, but a failure is reported in the same
 * way.
 */
static void test_not_completed(void **context)
{
	open_reporting(MSR_TSC_AUX);
	mock.vcpus[0].regpin->guest.tsc_aux = AUX_RDTSCP;
	assert_true(mock_wrmsr(0, MSR_TSC_AUX, 1));
	mock.vcpus[0].regpin->io.answered = true;
	vcpu_alert(mock.vcpus[0].regpin);
	mock.fails = KVM_RUN;
	mock.fails_with = EFAULT;
	assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin),
			 REGPIN_STOPPED);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 1);
	mock_close();
}

/* On VMX the CPU itself refuses the guest's write, so there is no trial. */
static void test_wild_on_vmx(void **context)
{
	struct mock_vcpu *vcpu;

	open_pinned(RULE_FROZEN, MSR_SYSENTER_EIP, 0xff, REGPIN_REPORT);
	vcpu = &mock.vcpus[0];
	vcpu->regpin->guest.linear_bits = 48;
	vcpu->msrs[replay_slot(MSR_SYSENTER_EIP)] = 0x1000;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_EIP, WILD_EIP));
	assert_int_equal(vcpu->msrs[replay_slot(MSR_SYSENTER_EIP)], 0x1000);
	assert_int_equal(mock.nr_sets, 0);
	/* The attempt is an event, with the register's current value. */
	assert_int_equal(last_violation().new_value, WILD_EIP);
	assert_int_equal(last_violation().value, 0x1000);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 0);
	/* This value is canonical only with five-level paging. */
	assert_false(mock_wrmsr(0, MSR_SYSENTER_EIP, 0xff00000000001000));
	vcpu->regpin->guest.linear_bits = 57;
	assert_true(mock_wrmsr(0, MSR_SYSENTER_EIP, 0xff00000000001000));
	mock_close();
}

/*
 * Without unrestricted guests KVM emulates real mode, and makes the value canonical
 * there.
 */
static void test_wild_in_real_mode(void **context)
{
	struct host *host;

	open_reporting(MSR_SYSENTER_ESP);
	host = &mock.vm->host;
	host->linear_bits = 48;
	mock.vcpus[0].regpin->guest.linear_bits = 48;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_ESP, WILD_EIP));
	host->emulates_real_mode = true;
	assert_true(mock_wrmsr(0, MSR_SYSENTER_ESP, WILD_EIP));
	mock.vcpus[0].sregs.cr0 |= 1;
	assert_false(mock_wrmsr(0, MSR_SYSENTER_ESP, WILD_EIP));
	mock.vcpus[0].sregs.cr0 &= ~1ull;
	assert_true(mock_wrmsr(0, MSR_SYSENTER_ESP, WILD_EIP));
	mock_close();
}

#define FEATURE(n)	(mock.vcpus[n].others[4])
#define MCG_CAP(n)	(mock.vcpus[n].others[5])

/* The host may write a locked register, and bits that the guest does not have. */
static void test_feature_control(void **context)
{
	open_pinned(RULE_NEVER, MSR_FEATURE_CONTROL, 1ull << 15, REGPIN_GP);
	/* A guest without VMX. */
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0));
	mock.vcpus[0].regpin->guest.feature_control = 0x7;
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x40001));
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x100005));
	assert_int_equal(mock.nr_sets, 0);
	/* KVM_X86_SETUP_MCE adds LMCE after CPUID was set, and can remove it. */
	MCG_CAP(0) = 1ull << 27;
	assert_true(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x100004));
	MCG_CAP(0) = ~(1ull << 27);
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x100005));
	assert_int_equal(FEATURE(0), 0x100004);
	assert_true(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x5));
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x7));
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0));
	assert_int_equal(FEATURE(0), 0x5);
	/* A reset by the VMM unlocks it. */
	FEATURE(0) = 0;
	assert_true(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x1));
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 0);
	mock_close();
}

/*
 * Without VMX only userspace may access it, and on older KVMs not even userspace: a
 * guest's access is of an MSR that KVM does not know, not of one that it refuses.
 */
static void test_feature_control_not_on_vmx(void **context)
{
	const unsigned int both = KVM_MSR_EXIT_REASON_UNKNOWN |
				  KVM_MSR_EXIT_REASON_INVAL;
	struct regpin_policy *policy = new_policy(ARM_START);
	struct mock_vcpu *vcpu = &mock.vcpus[0];
	uint64_t value;

	add_deny(policy, MSR_FEATURE_CONTROL, 1, ACCESS_READ | ACCESS_WRITE,
		 REGPIN_REPORT);
	add_wide(policy, RULE_UNKNOWN, REGPIN_GP, RULE_ANSWERS, 7);
	mock_open(policy);
	assert_true(mock_rdmsr(0, MSR_FEATURE_CONTROL, &value));
	assert_int_equal(value, 7);
	mock.fails = KVM_GET_MSRS;
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 1));
	mock.fails = 0;
	assert_int_equal(mock.nr_sets, 0);
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 2);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 0);

	atomic_store(&mock.vm->filters.vmm_mask, both);
	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_WRMSR;
	vcpu->run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	vcpu->run.msr.index = MSR_FEATURE_CONTROL;
	vcpu->run.msr.data = 1;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 0);
	assert_int_equal(vcpu->run.msr.reason, KVM_MSR_EXIT_REASON_UNKNOWN);
	mock_close();
}

#define GUEST_MODE	(1 << 2)	/* KVM_RUN_X86_GUEST_MODE */

/* A write of 0 by the host makes KVM leave L2; the guest's own write would not. */
static void test_feature_control_in_l2(void **context)
{
	open_pinned(RULE_NEVER, MSR_FEATURE_CONTROL, 1ull << 15, REGPIN_GP);
	mock.vcpus[0].regpin->guest.feature_control = 0x7;
	FEATURE(0) = 0x4;
	mock.vcpus[0].run.flags = GUEST_MODE;
	assert_false(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0));
	assert_int_equal(mock.nr_sets, 0);
	assert_true(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0x2));
	mock.vcpus[0].run.flags = 0;
	assert_true(mock_wrmsr(0, MSR_FEATURE_CONTROL, 0));
	mock_close();
}

#define SHARED_PAT	(1ull << 11)	/* KVM_X86_QUIRK_NESTED_SVM_SHARED_PAT */

/* A nested guest may have a PAT of its own, but KVM_SET_MSRS would change L1's. */
static void test_pat_of_l2(void **context)
{
	const uint64_t *pat = &mock.vcpus[0].msrs[replay_slot(MSR_PAT)];
	uint64_t value;

	open_reporting(MSR_PAT);
	regpin_vm_disabled_quirks(mock.vm, ~SHARED_PAT);
	mock.vcpus[0].run.flags = GUEST_MODE;
	assert_true(mock_wrmsr(0, MSR_PAT, 0x0007040600070406));
	assert_int_equal(*pat, 0x0007040600070406);
	regpin_vm_disabled_quirks(mock.vm, SHARED_PAT);
	assert_false(mock_wrmsr(0, MSR_PAT, 0x0606060606060606));
	assert_false(mock_rdmsr(0, MSR_PAT, &value));
	assert_int_equal(*pat, 0x0007040600070406);
	/* L1's own PAT is written as usual. */
	mock.vcpus[0].run.flags = 0;
	assert_true(mock_rdmsr(0, MSR_PAT, &value));
	assert_int_equal(value, 0x0007040600070406);
	assert_true(mock_wrmsr(0, MSR_PAT, 0x0606060606060606));
	assert_int_equal(*pat, 0x0606060606060606);
	mock_close();
}

/* KVM_GET_MSRS returns the guest's SSP at this index, which is not an MSR of the guest. */
static void test_guest_ssp(void **context)
{
	const struct guest guest = { .svm = true, .vmx = true, .tsc_aux = 3 };

	assert_false(replay_known(&guest, MSR_KVM_GUEST_SSP));
	assert_false(replay_readable(&guest, MSR_KVM_GUEST_SSP));
	assert_false(replay_valid(&guest, MSR_KVM_GUEST_SSP, false, 0, 0x1000));
	assert_true(replay_readable(&guest, MSR_KVM_GUEST_SSP - 1));
}

/* The ioctls that make a VM confidential are refused; a query is allowed. */
static void test_confidential(void **context)
{
	open_reporting(MSR_PAT);
	for (unsigned int type = 0; type < 70; type++)
		assert_int_equal(regpin_check_vm_type(type),
				 type < 2 ? 0 : -EPERM);
	assert_int_equal(regpin_check_vm_type(1ull << 32), -EPERM);
	assert_int_equal(regpin_vm_check_encrypt_op(mock.vm, NULL), 0);
	for (uint32_t cap = 0; cap < 400; cap++)
		if (cap != KVM_CAP_VM_COPY_ENC_CONTEXT_FROM &&
		    cap != KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)
			assert_int_equal(regpin_vm_check_cap(mock.vm, cap), 0);
	assert_int_equal(mock_count(REGPIN_EVENT_REFUSED), 0);
	assert_int_equal(regpin_vm_check_encrypt_op(mock.vm, context), -EPERM);
	assert_int_equal(regpin_vm_check_cap(mock.vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM),
			 -EPERM);
	assert_int_equal(regpin_vm_check_cap(mock.vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM),
			 -EPERM);
	assert_int_equal(mock_count(REGPIN_EVENT_REFUSED), 3);
	assert_int_equal(mock.events[mock.nr_events - 1].detail,
			 REGPIN_REFUSED_CONFIDENTIAL);
	mock_close();
}

/* KVM would permit this access to the host. */
static void test_not_the_guests(void **context)
{
	uint64_t value;

	open_reporting(MSR_TSC_AUX);
	mock.vcpus[0].regpin->guest.tsc_aux = 0;
	mock.vcpus[0].others[0] = 7;
	assert_false(mock_wrmsr(0, MSR_TSC_AUX, 1));
	assert_false(mock_rdmsr(0, MSR_TSC_AUX, &value));
	assert_int_equal(mock.nr_sets, 0);
	assert_int_equal(mock.vcpus[0].others[0], 7);
	mock.vcpus[1].regpin->guest.tsc_aux = AUX_RDPID;
	assert_true(mock_wrmsr(1, MSR_TSC_AUX, 1));
	assert_true(mock_rdmsr(1, MSR_TSC_AUX, &value));
	assert_int_equal(value, 1);
	mock_close();
}

/* An old KVM queues a second #GP for these values, so it must not get them. */
static void test_reserved_mtrr(void **context)
{
	const uint32_t base = MSR_MTRR_PHYSBASE0;

	open_reporting(base);
	mock.vcpus[0].regpin->guest.gpa_reserved = ~0ull << 40;
	assert_false(mock_wrmsr(0, base, 1ull << 40));
	assert_false(mock_wrmsr(0, base, 0x100));
	assert_int_equal(mock.nr_sets, 0);
	assert_true(mock_wrmsr(0, base, 0xc0000006));
	assert_int_equal(mock.nr_sets, 1);
	assert_int_equal(mock_count(REGPIN_EVENT_FAILED), 0);
	mock_close();
}

static void test_pins(void **context)
{
	open_pinned(RULE_STICKY, MTRR_DEF_TYPE, 0x800, REGPIN_GP);
	assert_true(mock_wrmsr(0, MTRR_DEF_TYPE, 0xc06));
	assert_false(mock_wrmsr(0, MTRR_DEF_TYPE, 0x406));
	assert_true(mock_wrmsr(0, MTRR_DEF_TYPE, 0x806));
	assert_int_equal(mock.vcpus[0].others[3], 0x806);
	mock_close();

	/* A write of the upper half neither bypasses nor violates the pin. */
	open_pinned(RULE_NEVER, MSR_TSC_AUX, 0xffffffff00000001, REGPIN_MASK);
	mock.vcpus[0].regpin->guest.tsc_aux = AUX_RDTSCP;
	assert_true(mock_wrmsr(0, MSR_TSC_AUX, 0xff00000002));
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 0);
	assert_true(mock_wrmsr(0, MSR_TSC_AUX, 0xff00000005));
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 1);
	assert_int_equal(last_violation().bits, 1);
	assert_int_equal(mock.vcpus[0].others[0], 4);
	mock_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_trial_stays),
		cmocka_unit_test(test_no_trial),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_not_completed),
		cmocka_unit_test(test_wild_on_vmx),
		cmocka_unit_test(test_wild_in_real_mode),
		cmocka_unit_test(test_feature_control),
		cmocka_unit_test(test_feature_control_in_l2),
		cmocka_unit_test(test_feature_control_not_on_vmx),
		cmocka_unit_test(test_pat_of_l2),
		cmocka_unit_test(test_guest_ssp),
		cmocka_unit_test(test_confidential),
		cmocka_unit_test(test_not_the_guests),
		cmocka_unit_test(test_reserved_mtrr),
		cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
