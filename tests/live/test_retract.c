// SPDX-License-Identifier: GPL-2.0-only
/*
 * regpin_vcpu_retract(): after it nothing is pending, whatever the VMM does, and the
 * guest executes the instruction again. The first test shows the fault without it.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL	0xffffffff81000000ull

/* Runs up to the exit, and does not answer it. */
static bool until_exit(struct tiny_vcpu *vcpu, uint32_t at, uint32_t index,
		       uint64_t value)
{
	tiny_prepare(vcpu, at, index, value);
	regpin_vcpu_enter(vcpu->regpin);
	return !ioctl(vcpu->fd, KVM_RUN, NULL) &&
	       vcpu->run->exit_reason == (at == TINY_WRMSR ?
						  KVM_EXIT_X86_WRMSR :
						  KVM_EXIT_X86_RDMSR);
}

static struct kvm_regs regs_of(struct tiny_vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		memset(&regs, 0, sizeof(regs));
	return regs;
}

/* A VMM might do this: it sets the guest's RIP elsewhere, and runs it. */
static uint64_t rip_after_move(struct tiny_vcpu *vcpu)
{
	struct kvm_regs regs = regs_of(vcpu);

	regs.rip = TINY_WRMSR + 2;	/* the HLT */
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	while (!ioctl(vcpu->fd, KVM_RUN, NULL) &&
	       vcpu->run->exit_reason != KVM_EXIT_HLT)
		;
	return regs_of(vcpu).rip;
}

static void test_why(struct scene *s)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];

	ok(until_exit(vcpu, TINY_WRMSR, MSR_LSTAR, KERNEL), "a WRMSR exits");
	vcpu->run->msr.error = 1;
	ok(rip_after_move(vcpu) != TINY_WRMSR + 3,
	   "without retract the #GP hits another instruction");

	ok(until_exit(vcpu, TINY_WRMSR, MSR_LSTAR, KERNEL) &&
		   !regpin_vcpu_retract(vcpu->regpin),
		   "the write is retracted");
	vcpu->run->msr.error = 1;
	ok(rip_after_move(vcpu) == TINY_WRMSR + 3,
	   "with retract the #GP does not hit another instruction");
}

static void test_again(struct scene *s)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];
	struct kvm_regs before, after;
	uint64_t value = 0;

	ok(until_exit(vcpu, TINY_WRMSR, MSR_LSTAR, KERNEL), "a WRMSR exits");
	before = regs_of(vcpu);
	ok(!regpin_vcpu_retract(vcpu->regpin), "the WRMSR is retracted");
	after = regs_of(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)) &&
		   after.rip == TINY_WRMSR, "RIP is at the WRMSR");
	ok(scene_msr(vcpu, MSR_LSTAR) == 0, "the WRMSR is not done");
	ok(!vcpu->run->immediate_exit, "immediate_exit is unchanged");
	ok(regpin_vcpu_retract(vcpu->regpin) == -EINVAL,
	   "a second retract finds nothing");
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
		   scene_msr(vcpu, MSR_LSTAR) == KERNEL,
	   "the guest executes the WRMSR when it runs on");

	ok(until_exit(vcpu, TINY_RDMSR, MSR_LSTAR, 0), "an RDMSR exits");
	vcpu->run->msr.data = ~0ull;
	before = regs_of(vcpu);
	ok(!regpin_vcpu_retract(vcpu->regpin), "the RDMSR is retracted");
	after = regs_of(vcpu);
	ok(!memcmp(&before, &after, sizeof(before)),
	   "RAX and RDX are unchanged");
	ok(!tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_RDMSR),
	   "the guest executes the RDMSR when it runs on");
	after = regs_of(vcpu);
	value = (uint32_t)after.rax | after.rdx << 32;
	ok(value == KERNEL, "the RDMSR gives the register's value");
}

int main(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	const char *why_not = tiny_why_not();
	struct scene s;

	if (why_not)
		tap_skip_all(why_not);
	add_deny(policy, MSR_LSTAR, 1, ACCESS_READ | ACCESS_WRITE,
		 REGPIN_REPORT);
	scene_open(&s, policy, 1, TINY_LONG);
	test_why(&s);
	scene_close(&s);

	policy = new_policy(ARM_SYSCALL_ENTRY);
	add_deny(policy, MSR_LSTAR, 1, ACCESS_READ | ACCESS_WRITE,
		 REGPIN_REPORT);
	scene_open(&s, policy, 1, TINY_LONG);
	test_again(&s);
	scene_close(&s);
	return tap_done();
}
