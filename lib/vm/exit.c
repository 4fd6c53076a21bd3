// SPDX-License-Identifier: LGPL-2.1-or-later
/* The exits of a vCPU under a policy: whether one is regpin's, its verdict, its effect. */
#include <errno.h>
#include <string.h>

#include "core.h"
#include "cr.h"
#include "floor.h"
#include "hold.h"
#include "init.h"
#include "lib/judge/judge.h"
#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/replay.h"
#include "lib/policy/action.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "perform.h"
#include "refused.h"
#include "types.h"
#include "violation.h"

static void report_failed(struct regpin_vcpu *vcpu, const struct access *access,
			  int err)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_FAILED,
		.index = access->index,
		.write = access->write,
		.action = REGPIN_GP,
		.rule = REGPIN_NO_RULE,
		.detail = (uint32_t)-err,
	};

	vm_send_event(vcpu->vm, vcpu, &event);
}

/* Would the VMM's own filter have shown this access to the VMM? */
static bool vmm_wants(const struct regpin_vm *vm, uint32_t index,
		      unsigned int type)
{
	const struct msr_filter *vmm = atomic_load(&vm->filters.vmm);

	return vmm && !model_filter_allows(&vmm->filter, index, type);
}

/* Passes on an access that only the VMM's filter asked for. */
static int pass_to_vmm(struct regpin_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->vm->filters.vmm_mask, memory_order_relaxed) &
	    KVM_MSR_EXIT_REASON_FILTER) {
		vcpu->io.run->msr.reason = KVM_MSR_EXIT_REASON_FILTER;
		return 0;
	}
	/* The VMM has a filter but wants no exits: KVM would have injected #GP. */
	return refused_answer_msr(vcpu, true);
}

/**
 * struct effect - the effect of a verdict
 * @action: the verdict's action, or an operator's answer instead
 * @unread: REGPIN_UNREAD_*: the values that are not known
 * @value: the masked value, or the value that a read returns; after the access, the value
 *	that the register holds
 */
struct effect {
	uint8_t action, unread;
	uint64_t value;
};

/* Carries out a write, and sets @effect's value to what the register holds afterwards. */
static int apply_write(struct regpin_vcpu *vcpu,
		       const struct regpin_policy *policy,
		       struct access *access, uint64_t proposed,
		       struct effect *effect)
{
	struct kvm_run *run = vcpu->io.run;
	uint64_t value = effect->action == REGPIN_MASK ? effect->value :
							 proposed;
	int ret;

	if (action_refuses(effect->action))
		return refused_answer_msr(vcpu, effect->action == REGPIN_GP);
	if (vmm_wants(vcpu->vm, access->index, ACCESS_WRITE)) {
		run->msr.data = value;
		ret = pass_to_vmm(vcpu);
		if (ret)
			effect->value = access->old_value;
		else
			effect->unread |= REGPIN_UNREAD_VALUE;
		return ret;
	}
	ret = perform_write(vcpu, access, value);
	if (ret)
		effect->value = access->old_value;
	/*
	 * KVM would have refused the write. A VMM that asked for such exits gets this
	 * one.
	 */
	if (ret == -EINVAL) {
		ret = invalid_exit(vcpu, policy, access);
		if (!ret) {
			run->msr.data = value;
			effect->unread |= REGPIN_UNREAD_VALUE;
		}
		return ret;
	}
	if (ret)
		report_failed(vcpu, access, ret);
	return refused_answer_msr(vcpu, ret);
}

/* Must the vCPU be held or its VM be stopped before the access? */
static bool must_interrupt(const struct verdict *verdict)
{
	return action_interrupts(verdict->action);
}

/*
 * Holds the vCPU or stops the VM, before the instruction. Returns false if the vCPU was
 * held for this access before: then @effect is the answer, and the access was reported
 * when the vCPU was held.
 */
static bool hold_or_stop(struct regpin_vcpu *vcpu, const struct judged *judged,
			 struct regpin_event *event, struct effect *effect)
{
	const struct access *access = judged->access;

	if (event->action == REGPIN_PAUSE) {
		effect->action = (uint8_t)hold_use_answer(vcpu, event);
		if (effect->action != REGPIN_PAUSE) {
			effect->value = effect->action == REGPIN_GP ?
				access->old_value : access->new_value;
			return false;
		}
	}
	violation_send(vcpu, judged, event);
	return hold_carry_out(vcpu, HOLD_ACCESS, event);
}

/* Sends @event, which was made before the access, completed with the @effect. */
static void report_effect(struct regpin_vcpu *vcpu, const struct judged *judged,
			  const struct effect *effect,
			  struct regpin_event *event)
{
	event->action = effect->action;
	event->unread = effect->unread;
	event->value = effect->unread & REGPIN_UNREAD_VALUE ? 0 : effect->value;
	violation_send(vcpu, judged, event);
}

/* Does the guest get @effect's value, and neither a #GP nor the VMM's answer? */
static bool is_returned(const struct regpin_vcpu *vcpu,
			const struct judged *judged, const struct effect *effect)
{
	if (judged->verdict->answered || effect->action == REGPIN_DROP)
		return true;
	return !action_refuses(effect->action) &&
	       !(effect->unread & REGPIN_UNREAD_OLD) &&
	       !vmm_wants(vcpu->vm, judged->access->index, ACCESS_READ);
}

/* Answers a read with its @effect. @err is the error of reading the register. */
static int answer_read(struct regpin_vcpu *vcpu, const struct judged *judged,
		       struct access *access, const struct effect *effect,
		       int err)
{
	struct kvm_run *run = vcpu->io.run;

	if (effect->action == REGPIN_GP)
		return refused_answer_msr(vcpu, true);
	if (effect->action == REGPIN_DROP || judged->verdict->answered) {
		run->msr.data = effect->value;
		return refused_answer_msr(vcpu, false);
	}
	if (vmm_wants(vcpu->vm, access->index, ACCESS_READ))
		return pass_to_vmm(vcpu);
	/* The guest's CPU has no such register, so KVM would have refused the read. */
	if (err == -EINVAL)
		return invalid_exit(vcpu, judged->policy, access);
	if (err)
		report_failed(vcpu, access, err);
	run->msr.data = effect->value;
	return refused_answer_msr(vcpu, err);
}

static int read_exit(struct regpin_vcpu *vcpu,
		     const struct regpin_policy *policy, struct access *access)
{
	const struct judge_state state = { 0 };
	struct verdict verdict;
	const struct judged judged = { policy, &state, access, &verdict };
	struct regpin_event event;
	struct effect effect;
	int err = 0;

	judge(policy, &state, access, &verdict);
	effect = (struct effect){ verdict.action, 0, verdict.value };
	/* Read the register only if its value goes to the guest or into an event. */
	if (verdict.rule || !verdict.answered)
		err = perform_read(vcpu, access);
	if (err)
		effect.unread = REGPIN_UNREAD_OLD;
	if (verdict.rule) {
		violation_make(vcpu, &judged, REGPIN_EVENT_VIOLATION,
			       access->old_value, effect.unread, &event);
		if (must_interrupt(&verdict) &&
		    hold_or_stop(vcpu, &judged, &event, &effect))
			return 1;
	}
	if (action_lets_pass(effect.action) && !verdict.answered)
		effect.value = access->old_value;
	if (!is_returned(vcpu, &judged, &effect))
		effect.unread |= REGPIN_UNREAD_VALUE;
	if (verdict.rule && !must_interrupt(&verdict))
		report_effect(vcpu, &judged, &effect, &event);
	return answer_read(vcpu, &judged, access, &effect, err);
}

static int write_exit(struct regpin_vcpu *vcpu,
		      const struct regpin_policy *policy, struct access *access)
{
	uint64_t proposed = vcpu->io.run->msr.data, old = 0;
	struct verdict verdict;
	struct judge_state state;
	const struct judged judged = { policy, &state, access, &verdict };
	struct regpin_event event;
	struct effect effect;
	int err, ret;

	err = perform_preview(vcpu, access, &old, proposed);
	if (access->index == MSR_EFER && !err)
		init_find_in_efer(vcpu, old);
	state = floor_judge_state(vcpu, access);
	judge(policy, &state, access, &verdict);
	effect = (struct effect){ verdict.action, 0, verdict.value };
	if (err || !replay_known(&vcpu->guest, access->index))
		effect.unread = REGPIN_UNREAD_OLD | REGPIN_UNREAD_VALUE;
	/* Make the event before the write, which may arm the vCPU. */
	if (verdict.rule) {
		violation_make(vcpu, &judged, REGPIN_EVENT_VIOLATION, proposed,
			       effect.unread, &event);
		if (must_interrupt(&verdict) &&
		    hold_or_stop(vcpu, &judged, &event, &effect))
			return 1;
	}
	/* Without the old value, a write that clears a pinned bit could not be judged. */
	if (err && !action_refuses(effect.action)) {
		report_failed(vcpu, access, err);
		return refused_answer_msr(vcpu, true);
	}
	/* KVM would change the masked value, so the write is refused. */
	if (effect.action == REGPIN_MASK &&
	    !replay_kept(access->index, effect.value)) {
		effect.action = REGPIN_GP;
		effect.value = access->old_value;
	}
	ret = apply_write(vcpu, policy, access, proposed, &effect);
	if (verdict.rule && !must_interrupt(&verdict))
		report_effect(vcpu, &judged, &effect, &event);
	return ret;
}

/*
 * Neither the policy nor the VMM's filter names the register: KVM still has the filter of
 * another policy, until regpin_vm_policy_done() replaces it. Until then the guest executes
 * the instruction again.
 */
static int stale_exit(struct regpin_vcpu *vcpu)
{
	uint32_t index = vcpu->io.run->msr.index;
	int err = regpin_vcpu_retract(vcpu);

	if (err)
		vm_stop_for_register(vcpu, REGPIN_MSR, index, err);
	return 1;
}

/* The guest asks for its pins, by the MSR that the policy names. */
static int request_exit(struct regpin_vcpu *vcpu)
{
	lifecycle_request(vcpu);
	return refused_answer_msr(vcpu, false);
}

static bool is_request(const struct regpin_policy *policy,
		       const struct access *access)
{
	return access->write && policy->settings.request_msr &&
	       access->index == policy->settings.request_msr;
}

static bool is_known_reason(uint32_t reason)
{
	return reason == KVM_MSR_EXIT_REASON_FILTER ||
	       reason == KVM_MSR_EXIT_REASON_UNKNOWN ||
	       reason == KVM_MSR_EXIT_REASON_INVAL;
}

/* No rule wants to see this access. */
static int unwanted_exit(struct regpin_vcpu *vcpu,
			 const struct regpin_policy *policy,
			 struct access *access)
{
	unsigned int type = access->write ? ACCESS_WRITE : ACCESS_READ;
	uint32_t reason = vcpu->io.run->msr.reason;

	if (reason == KVM_MSR_EXIT_REASON_UNKNOWN)
		return refused_exit(vcpu, policy, RULE_UNKNOWN, access);
	if (reason == KVM_MSR_EXIT_REASON_INVAL)
		return refused_exit(vcpu, policy, RULE_INVALID, access);
	return vmm_wants(vcpu->vm, access->index, type) ? pass_to_vmm(vcpu) :
							  stale_exit(vcpu);
}

/*
 * An access for which the policy has a rule is judged, whatever KVM's reason for the exit
 * is: if the reason is not the filter, KVM still has another policy's filter, and an
 * access must not be judged half by each. Not inlined, so that exits that are not
 * regpin's need not save registers for it.
 */
static __attribute__((noinline)) int msr_exit(struct regpin_vcpu *vcpu)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	struct kvm_run *run = vcpu->io.run;
	struct access access = {
		.kind = REGPIN_MSR,
		.index = run->msr.index,
		.write = run->exit_reason == KVM_EXIT_X86_WRMSR,
	};
	unsigned int type = access.write ? ACCESS_WRITE : ACCESS_READ;

	if (!is_known_reason(run->msr.reason))
		return 0;
	if (is_request(policy, &access))
		return request_exit(vcpu);
	if (!filter_wants(policy, access.index, type))
		return unwanted_exit(vcpu, policy, &access);
	if (policy_may_be_wide(policy) &&
	    filter_wants_unused(policy, access.index, type))
		return vmm_wants(vcpu->vm, access.index, type) ?
			       pass_to_vmm(vcpu) :
			       nowhere_exit(vcpu, policy, &access);
	return access.write ? write_exit(vcpu, policy, &access) :
			      read_exit(vcpu, policy, &access);
}

#define NO_HYPERCALL		1000ull	/* KVM_ENOSYS */

/*
 * The guest asks by hypercall. The bits that it names are ignored: the policy names them.
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
