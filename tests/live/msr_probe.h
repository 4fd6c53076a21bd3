/* SPDX-License-Identifier: GPL-2.0-only */
/* One access of the guest to an MSR, and KVM's reaction. */
#ifndef REGPIN_TESTS_LIVE_MSR_PROBE_H
#define REGPIN_TESTS_LIVE_MSR_PROBE_H

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/policy/policy.h"
#include "tap.h"
#include "tiny_run.h"

#define MSR_TSC_DEADLINE	0x6e0u

enum probe {
	PROBE_DONE,	/* KVM did it */
	PROBE_GP,	/* #GP, by KVM itself */
	PROBE_EXIT,	/* an exit by the filter */
	PROBE_UNKNOWN,	/* an exit: KVM has no such MSR */
	PROBE_INVALID,	/* an exit: KVM refuses this access to it */
	PROBE_ODD,	/* an exit that is none of these */
};

static const char *const probe_names[] __attribute__((unused)) = {
	"done", "#GP", "FILTER", "UNKNOWN", "INVAL", "odd",
};

static inline enum probe probe_exit(const struct tiny_vcpu *vcpu,
				    uint32_t index, unsigned int access)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason != (access == ACCESS_WRITE ? KVM_EXIT_X86_WRMSR :
							  KVM_EXIT_X86_RDMSR) ||
	    run->msr.index != index)
		return PROBE_ODD;
	switch (run->msr.reason) {
	case KVM_MSR_EXIT_REASON_FILTER:
		return PROBE_EXIT;
	case KVM_MSR_EXIT_REASON_UNKNOWN:
		return PROBE_UNKNOWN;
	case KVM_MSR_EXIT_REASON_INVAL:
		return PROBE_INVALID;
	default:
		return PROBE_ODD;
	}
}

/* An exit is answered by #GP. */
static inline enum probe probe_value(struct tiny_vcpu *vcpu, uint32_t index,
				     unsigned int access, uint64_t value)
{
	uint32_t at = access == ACCESS_WRITE ? TINY_WRMSR : TINY_RDMSR;
	enum probe ret;

	tiny_prepare(vcpu, at, index, value);
	if (tiny_run(vcpu)) {
		printf("Bail out! KVM_RUN\n");
		exit(1);
	}
	switch (tiny_outcome(vcpu, at)) {
	case 0:
		return PROBE_DONE;
	case TINY_GP:
		return PROBE_GP;
	}
	ret = probe_exit(vcpu, index, access);
	vcpu->run->msr.error = 1;
	tiny_run(vcpu);
	return ret;
}

/* A write gives the MSR the value that it has. */
static inline enum probe probe(struct tiny_vcpu *vcpu, uint32_t index,
			       unsigned int access)
{
	uint64_t value = 0;

	if (access == ACCESS_WRITE)
		tiny_get_msr(vcpu, index, &value);
	return probe_value(vcpu, index, access, value);
}

static inline int probe_enable(struct tiny_vm *vm, uint64_t reasons)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { reasons },
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static inline void probe_reasons(struct tiny_vm *vm, uint64_t reasons)
{
	if (probe_enable(vm, reasons)) {
		printf("Bail out! KVM_CAP_X86_USER_SPACE_MSR\n");
		exit(1);
	}
}

#endif
