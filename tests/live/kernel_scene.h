/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel in the tiny guest that sets up its syscall registers, and policies for it. */
#ifndef REGPIN_TESTS_LIVE_KERNEL_SCENE_H
#define REGPIN_TESTS_LIVE_KERNEL_SCENE_H

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define OTHER		0xffffffff82000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull

/* A guest boots: the registers that Linux writes, in its order. */
static inline void boot(struct tiny_vcpu *vcpu, uint64_t lstar)
{
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_STAR, 0x0023001000000000);
	tiny_wrmsr(vcpu, MSR_LSTAR, lstar);
	tiny_wrmsr(vcpu, MSR_CSTAR, lstar + 0x1000);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x257fd5);
}

static inline bool nx_is_pinned(struct tiny_vcpu *vcpu)
{
	int outcome = tiny_wrmsr(vcpu, MSR_EFER, EFER_NX_OFF);

	if (outcome == 0)
		tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	return outcome == TINY_GP;
}

static inline struct regpin_policy *nx_policy(unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	return policy;
}

static inline struct regpin_policy *syscall_policy(unsigned int arming)
{
	struct regpin_policy *policy = nx_policy(arming);

	add_pin(policy, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_CSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_STAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_EFER, ALL, REGPIN_GP);
	return policy;
}

#endif
