// SPDX-License-Identifier: LGPL-2.1-or-later
/* The exits of a vCPU under a policy: which function handles one, if it is regpin's. */
#include "core.h"
#include "cr.h"
#include "lib/kvm/uapi.h"
#include "lib/policy/policy.h"
#include "lifecycle.h"
#include "msr.h"
#include "types.h"

#define NO_HYPERCALL		1000ull	/* KVM_ENOSYS */

/*
 * The guest asks for its pins by hypercall. The policy names the bits that are pinned, so
 * those that the guest names are ignored.
 */
static int hypercall_exit(struct regpin_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->io.run;

	if (run->hypercall.nr != HC_LOCK_CR_UPDATE)
		return 0;
	/* An earlier policy has had the hypercall forwarded, or the VMM wants it. */
	if (vcpu->vm->policies.now->arming != ARM_REQUEST) {
		if (!atomic_load(&vcpu->vm->filters.hypercalls_forwarded))
			return 0;
		run->hypercall.ret = (uint64_t)-NO_HYPERCALL;
		vcpu->io.answered = true;
		return 1;
	}
	run->hypercall.ret = 0;
	vcpu->io.answered = true;
	lifecycle_request(vcpu);
	return 1;
}

/*
 * A triple fault, or an RSM that KVM's filter refused. KVM's registers of the vCPU are not
 * valid now, and on Intel the vCPU would continue from wherever they point. So it does
 * not enter before the VMM has reset it.
 */
static int shutdown_exit(struct regpin_vcpu *vcpu)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_SHUTDOWN,
		.rule = REGPIN_NO_RULE,
		.detail = !!(vcpu->io.run->flags & KVM_RUN_X86_SMM),
	};

	if (!phase_counts(vcpu->life.phase))
		return 0;
	vcpu->end.in_shutdown = true;
	vcpu_alert(vcpu);
	vm_send_event(vcpu->vm, vcpu, &event);
	return 0;
}

static int judge_exit(struct regpin_vcpu *vcpu)
{
	switch (vcpu->io.run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return msr_exit(vcpu);
	case KVM_EXIT_X86_CR_WRITE:
		return cr_exit(vcpu);
	case KVM_EXIT_HYPERCALL:
		return hypercall_exit(vcpu);
	case KVM_EXIT_SHUTDOWN:
		return shutdown_exit(vcpu);
	default:
		return 0;
	}
}

int regpin_vcpu_exit(struct regpin_vcpu *vcpu)
{
	/* If no rule needs the filter, the filter and its exits are the VMM's alone. */
	int ours = vcpu->vm->filters.msrs_wanted && judge_exit(vcpu);

	if (!ours)
		regpin_vcpu_leave(vcpu);
	return ours;
}

void regpin_vcpu_leave(struct regpin_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->wake.inside, false, memory_order_release);
}
