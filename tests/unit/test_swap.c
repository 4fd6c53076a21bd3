// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that are swapped at bad moments: while a vCPU handles an exit, is created,
 * or gets its CPUID; and when KVM refuses the filters.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "lib/vm/policies.h"
#include "mock_kvm.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>


#define CR4_ON	(1ull << 5 | 1ull << 20)
#define INTEL	"GenuineIntel"
#define AMD	"AuthenticAMD"

/* A policy that denies writes of one MSR, and of another one to guests of that vendor. */
static struct regpin_policy *policy_of(uint32_t index, const char *vendor)
{
	struct when when = { .line = 1, .column = 1 };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_deny(policy, index, 1, ACCESS_WRITE, REGPIN_DROP);
	if (!vendor)
		return policy;
	memcpy(when.vendor, vendor, sizeof(when.vendor));
	policy->whens[0] = when;
	policy->nr_whens = 1;
	add_deny(policy, index + 1, 1, ACCESS_WRITE, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].when = 1;
	return policy;
}

static struct regpin_policy *other_of(uint32_t index, const char *vendor)
{
	struct regpin_policy *policy = policy_of(index, vendor);

	assert_int_equal(finish_policy(policy), 0);
	return policy;
}

static int set_cpuid(unsigned int vcpu, const char *vendor, uint32_t ecx81)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[2];
	} cpuid = { .header.nent = 2 };

	memcpy(&cpuid.entries[0].ebx, vendor, 4);
	memcpy(&cpuid.entries[0].edx, vendor + 4, 4);
	memcpy(&cpuid.entries[0].ecx, vendor + 8, 4);
	cpuid.entries[1].function = 0x80000001;
	cpuid.entries[1].ecx = ecx81;
	return regpin_vcpu_set_cpuid(mock.vcpus[vcpu].regpin, &cpuid.header);
}

/* Opens the VM, and resolves the policy's conditions, which mock_open() does not do. */
static void open_resolved(struct regpin_policy *policy, const char *vendor)
{
	mock_open(policy);
	assert_int_equal(set_cpuid(0, vendor, 0), 0);
}

/*
 * A vCPU handles an exit by the first policy. There is room for one more policy, and
 * for the way back, but a third one would be resolved into the memory that the vCPU
 * reads.
 */
static void test_third(void **context)
{
	struct regpin_policy *first = policy_of(0x8b, INTEL);
	struct regpin_policy *second = other_of(0x79, INTEL);
	struct regpin_policy *third = other_of(0x1a0, INTEL);
	const struct regpin_policy *judges;
	struct rule rule;

	regpin_policy_set_number(first, 1);
	regpin_policy_set_number(second, 2);
	open_resolved(first, INTEL);
	regpin_vcpu_enter(mock.vcpus[1].regpin);
	judges = mock.vm->policies.now;
	assert_ptr_not_equal(judges, first);
	rule = judges->rules[1];
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	assert_int_equal(vm_try_policy(mock.vm, third), -EBUSY);
	assert_int_equal(regpin_vm_set_policy(mock.vm, third), -EBUSY);
	assert_ptr_equal(mock.vm->policies.whole, second);
	assert_int_equal(regpin_vm_policy_done(mock.vm), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, third), -EBUSY);
	assert_memory_equal(&rule, &judges->rules[1], sizeof(rule));
	assert_int_equal(judges->number, 1);
	assert_int_equal(mock.vm->policies.now->number, 2);
	/*
	 * Back to the first policy, whose resolved rules were kept, and again to the second
	 * one.
	 */
	assert_int_equal(regpin_vm_set_policy(mock.vm, first), 0);
	assert_ptr_equal(mock.vm->policies.now, judges);
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	/* The vCPU has looked: the first policy is not used any more. */
	regpin_vcpu_enter(mock.vcpus[1].regpin);
	assert_int_equal(vm_try_policy(mock.vm, third), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, third), 0);
	mock_close();
	free(second);
	free(third);
}

static struct regpin_vcpu *late;

/* Ends the other vCPU's exit while this thread waits for it. */
static void *look_later(void *unused)
{
	const struct timespec moment = { 0, 20000000 };

	(void)unused;
	nanosleep(&moment, NULL);
	regpin_vcpu_leave(late);
	return NULL;
}

/*
 * A vCPU's CPUID is set while policies change, and other rules hold because of it: they
 * are resolved into the previous policy's memory, which another vCPU reads.
 */
static void test_cpuid_meanwhile(void **context)
{
	struct regpin_policy *first = policy_of(0x8b, INTEL);
	struct regpin_policy *second = other_of(0x79, INTEL);
	const struct regpin_policy *judges;
	pthread_t thread;
	struct rule rule;

	open_resolved(first, INTEL);
	regpin_vcpu_enter(mock.vcpus[1].regpin);
	judges = mock.vm->policies.now;
	rule = judges->rules[1];
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	assert_ptr_not_equal(mock.vm->policies.now, judges);
	late = mock.vcpus[1].regpin;
	assert_memory_equal(&rule, &judges->rules[1], sizeof(rule));
	assert_int_equal(pthread_create(&thread, NULL, look_later, NULL), 0);
	assert_int_equal(set_cpuid(0, AMD, 0), 0);
	assert_false(atomic_load(&late->wake.inside));
	assert_int_equal(mock.vm->policies.conditions, 0);
	pthread_join(thread, NULL);
	mock_close();
	free(second);
}

/* A refused CPUID does not count when the rules that hold are found. */
static void test_refused_cpuid(void **context)
{
	struct regpin_policy *first = policy_of(0x8b, INTEL);
	struct regpin_policy *second = other_of(0x79, INTEL);

	open_resolved(first, INTEL);
	assert_int_equal(mock.vm->policies.conditions, 1);
	assert_int_equal(set_cpuid(2, AMD, 0), -EPERM);
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	assert_int_equal(mock.vm->policies.conditions, 1);
	mock_close();
	free(second);
}

/* A new policy is refused if the guest has SMM or nested guests that it does not accept. */
static void test_not_accepted(void **context)
{
	struct regpin_policy *first = policy_of(0x8b, NULL);
	struct regpin_policy *second = other_of(0x79, NULL);

	first->flags = POLICY_ACCEPT_NESTED | POLICY_ACCEPT_SMM;
	mock_open(first);
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, first), 0);
	assert_int_equal(regpin_vm_check_slot(mock.vm, 1u << 16), 0);
	assert_int_equal(vm_try_policy(mock.vm, second), -EPERM);
	second->flags = POLICY_ACCEPT_SMM;
	assert_int_equal(vm_try_policy(mock.vm, second), 0);
	assert_int_equal(set_cpuid(1, AMD, 1u << 2), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), -EPERM);
	assert_ptr_equal(mock.vm->policies.whole, first);
	mock_close();
	free(second);
}

/*
 * kvm_amd ignores a new filter on the MSRs of the last branch while the guest records
 * branches, so only a policy that was there before the vCPUs may name them.
 */
static void test_late_lbr(void **context)
{
	struct regpin_policy *first = policy_of(0x8b, NULL);
	struct regpin_policy *second = other_of(0x1de, NULL);
	struct regpin_policy *third = other_of(0x1de, NULL);
	struct regpin_policy *denies = policy_of(0x8b, NULL);

	add_default(denies, ACCESS_READ | ACCESS_WRITE, REGPIN_GP);
	add_allow(denies, MSR_SFMASK, 1, ACCESS_READ | ACCESS_WRITE);
	add_allow(denies, 0x1db, 1, ACCESS_READ | ACCESS_WRITE);
	assert_int_equal(finish_policy(denies), 0);
	mock_open(first);
	for (uint32_t i = 0x1da; i <= 0x1df; i++) {
		struct regpin_policy *other = other_of(i, NULL);
		bool is_lbr = i >= 0x1db && i <= 0x1de;

		mock.vm->host.vendor = HOST_SVM;
		assert_int_equal(vm_try_policy(mock.vm, other),
				 is_lbr ? -EOPNOTSUPP : 0);
		mock.vm->host.vendor = HOST_VMX;
		assert_int_equal(vm_try_policy(mock.vm, other), 0);
		free(other);
	}
	/* A default does not name these MSRs. */
	mock.vm->host.vendor = HOST_SVM;
	assert_int_equal(vm_try_policy(mock.vm, denies), 0);
	mock.vm->host.vendor = HOST_VMX;
	/*
	 * A swap is accepted from a policy that names them, but not after they were
	 * left out.
	 */
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	mock.vm->host.vendor = HOST_SVM;
	assert_int_equal(vm_try_policy(mock.vm, third), 0);
	assert_int_equal(regpin_vm_set_policy(mock.vm, first), 0);
	assert_int_equal(vm_try_policy(mock.vm, third), -EOPNOTSUPP);
	mock_close();
	free(second);
	free(denies);
	free(third);
}

static void detach_all(void)
{
	for (unsigned int i = 0; i < MOCK_VCPUS; i++) {
		regpin_vcpu_detach(mock.vcpus[i].regpin);
		mock.vcpus[i].regpin = NULL;
	}
}

static struct regpin_vcpu *attach(unsigned int n)
{
	assert_int_equal(regpin_vcpu_attach(mock.vm, (int)n, n,
					    &mock.vcpus[n].run,
					    &mock.vcpus[n].regpin), 0);
	return mock.vcpus[n].regpin;
}

/* A stopped VM reports that by one of its vCPUs, even by one that is created later. */
static void test_stop_is_reported(void **context)
{
	struct regpin_policy *second = other_of(0x79, NULL);

	mock_open(policy_of(0x8b, NULL));
	detach_all();
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	mock.fails = KVM_X86_SET_MSR_FILTER;
	mock.fails_with = ENOMEM;
	assert_int_equal(regpin_vm_policy_done(mock.vm), -ENOMEM);
	mock.fails = 0;
	assert_true(attach(0)->end.reports_stop);
	assert_int_equal(regpin_vcpu_enter(mock.vcpus[0].regpin),
			 REGPIN_STOPPED);
	assert_false(attach(1)->end.reports_stop);
	regpin_vcpu_detach(mock.vcpus[0].regpin);
	mock.vcpus[0].regpin = NULL;
	assert_true(mock.vcpus[1].regpin->end.reports_stop);
	mock_close();
	free(second);
}

/* The VMM's writes of a reset. */
static void reset(unsigned int n)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	regpin_vcpu_before_write(vcpu->regpin);
	memset(vcpu->msrs, 0, sizeof(vcpu->msrs));
	memset(&vcpu->sregs, 0, sizeof(vcpu->sregs));
	vcpu->sregs.cr0 = 0x60000010;
	regpin_vcpu_after_write(vcpu->regpin);
}

/* KVM has refused the filters: a reset does not make the VM run without them. */
static void test_reset_unfiltered(void **context)
{
	struct regpin_policy *second = other_of(0x79, NULL);
	struct regpin_vcpu *reporter;
	unsigned int n = 0;

	mock_open(policy_of(0x8b, NULL));
	mock_boot(0, CR4_ON);
	assert_int_equal(regpin_vm_set_policy(mock.vm, second), 0);
	mock.fails = KVM_X86_SET_MSR_FILTER;
	mock.fails_with = ENOMEM;
	assert_int_equal(regpin_vm_policy_done(mock.vm), -ENOMEM);
	while (!mock.vcpus[n].regpin->end.reports_stop)
		n++;
	reporter = mock.vcpus[n].regpin;
	reset(n);
	assert_int_equal(regpin_vcpu_enter(reporter), REGPIN_STOPPED);
	mock.fails = 0;
	reset(n);
	assert_int_equal(regpin_vcpu_enter(reporter), REGPIN_ENTER);
	mock_close();
	free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_third),
		cmocka_unit_test(test_cpuid_meanwhile),
		cmocka_unit_test(test_refused_cpuid),
		cmocka_unit_test(test_not_accepted),
		cmocka_unit_test(test_late_lbr),
		cmocka_unit_test(test_stop_is_reported),
		cmocka_unit_test(test_reset_unfiltered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
