/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels that start on the mock KVM, and resets. */
#ifndef REGPIN_TESTS_UNIT_LIFE_SCENE_H
#define REGPIN_TESTS_UNIT_LIFE_SCENE_H

#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/lifecycle.h"
#include "mock_kvm.h"

#include <string.h>

#define A		0xffffffff81000000ull
#define B		0xffffffff82000000ull
#define EVIL		0xffffffffdead0000ull
#define MASK_A		0x47700ull
#define MASK_B		0x257fd5ull
#define ESP_A		0xfffffe0000003000ull
#define ESP_B		0xfffffe0000004000ull

static inline struct regpin_policy *policy_of(unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_CSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_SFMASK, ALL, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_SYSENTER_ESP, ALL, REGPIN_GP);
	return policy;
}

/* Opens the VM, with the gate in the state that vm_attach() gives it. */
static inline void open_vm(unsigned int arming)
{
	mock_open(policy_of(arming));
	if (arming == ARM_OPERATOR || arming == ARM_REQUEST)
		mock.vm->gate.state = GATE_CLOSED;
}

static inline void look(unsigned int n)
{
	assert_int_equal(mock_look(n), REGPIN_ENTER);
}

static inline void arm(unsigned int arming)
{
	if (arming == ARM_REQUEST)
		lifecycle_request(mock.vcpus[0].regpin);
	else
		assert_int_equal(regpin_vm_arm(mock.vm), 0);
	look(0);
}

/* The writes of Linux's syscall_init() after LSTAR; all of them must be done. */
static inline void finish(unsigned int n, uint64_t kernel, uint64_t esp, uint64_t mask)
{
	assert_true(mock_wrmsr(n, MSR_CSTAR, kernel + 0x1000));
	assert_true(mock_wrmsr(n, MSR_SYSENTER_ESP, esp));
	assert_true(mock_wrmsr(n, MSR_SFMASK, mask));
}

static inline void boot(unsigned int n, uint64_t kernel, uint64_t esp, uint64_t mask)
{
	assert_true(mock_wrmsr(n, MSR_LSTAR, kernel));
	finish(n, kernel, esp, mask);
}

/* Set up and pinned: the VM's values are @kernel and @mask. */
static inline void is_pinned(unsigned int n, uint64_t kernel, uint64_t mask)
{
	assert_int_equal(mock.vcpus[n].regpin->life.phase, PHASE_READY);
	assert_false(mock_wrmsr(n, MSR_LSTAR, EVIL));
	assert_false(mock_wrmsr(n, MSR_SFMASK, mask ^ 0x100));
	assert_true(mock_wrmsr(n, MSR_LSTAR, kernel));
	assert_true(mock_wrmsr(n, MSR_SFMASK, mask));
}

/* KVM on VMX clears the SYSENTER MSRs at INIT; the other syscall MSRs always stay. */
static inline void init_sipi(unsigned int n, bool clears)
{
	mock_init(n);
	for (int slot = 0; clears && slot < 3; slot++)
		mock.vcpus[n].msrs[slot] = 0;
	mock_sipi(n);
}

/* The orders in which a VMM may write a reset. */
enum reset { AT_ONCE, SREGS_FIRST, MSRS_FIRST, NR_RESETS };

static inline void write_part(unsigned int n, bool sregs, bool msrs)
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

static inline void reset(unsigned int n, enum reset how)
{
	if (how != AT_ONCE)
		write_part(n, how == SREGS_FIRST, how == MSRS_FIRST);
	write_part(n, how != SREGS_FIRST, how != MSRS_FIRST);
	look(n);
}

/* These tests do not depend on whether the CR filter is installed. */
static inline unsigned int vm_status(void)
{
	return regpin_vm_status(mock.vm) &
	       ~(unsigned int)(REGPIN_IS_FILTERED | REGPIN_IS_CLOSED);
}

static const unsigned int by_word[] = { ARM_OPERATOR, ARM_REQUEST };

static const unsigned int armings[] = {
	ARM_START, ARM_SYSCALL_ENTRY, ARM_REQUEST, ARM_OPERATOR,
};

#endif
