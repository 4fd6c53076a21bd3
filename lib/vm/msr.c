// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The exits for MSRs: whether one is regpin's, its verdict, its effect. Nearly all exits
 * that are regpin's come here, so functions for the rare ones are kept apart from the
 * others, which then save fewer registers.
 */
#include <errno.h>

#include "core.h"
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
#include "msr.h"
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
	const struct access *access = &judged->access;

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
	if (judged->verdict.answered || effect->action == REGPIN_DROP)
		return true;
	return !action_refuses(effect->action) &&
	       !(effect->unread & REGPIN_UNREAD_OLD) &&
	       !vmm_wants(vcpu->vm, judged->access.index, ACCESS_READ);
}

/* Answers a read with its @effect. @err is the error of reading the register. */
static int answer_read(struct regpin_vcpu *vcpu, struct judged *judged,
		       const struct effect *effect, int err)
{
	struct access *access = &judged->access;
	struct kvm_run *run = vcpu->io.run;

	if (effect->action == REGPIN_GP)
		return refused_answer_msr(vcpu, true);
	if (effect->action == REGPIN_DROP || judged->verdict.answered) {
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

/* The access of an exit for an MSR. Its values are not known yet. */
static inline struct access get_access(const struct regpin_vcpu *vcpu, bool write)
{
	return (struct access){
		.kind = REGPIN_MSR,
		.index = vcpu->io.run->msr.index,
		.write = write,
	};
}

/* Verdicts on reads depend on no state. */
static const struct judge_state no_state;

/* Answers a read that violates a rule, or whose value KVM has. */
static __attribute__((noinline)) int
judged_read(struct regpin_vcpu *vcpu, struct judged *judged)
{
	const struct verdict *verdict = &judged->verdict;
	struct access *access = &judged->access;
	struct effect effect = { verdict->action, 0, verdict->value };
	struct regpin_event event;
	int err = perform_read(vcpu, access);

	judged->state = no_state;
	if (err)
		effect.unread = REGPIN_UNREAD_OLD;
	if (verdict->rule) {
		violation_make(vcpu, judged, REGPIN_EVENT_VIOLATION,
			       access->old_value, effect.unread, &event);
		if (must_interrupt(verdict) &&
		    hold_or_stop(vcpu, judged, &event, &effect))
			return 1;
	}
	if (action_lets_pass(effect.action) && !verdict->answered)
		effect.value = access->old_value;
	if (!is_returned(vcpu, judged, &effect))
		effect.unread |= REGPIN_UNREAD_VALUE;
	if (verdict->rule && !must_interrupt(verdict))
		report_effect(vcpu, judged, &effect, &event);
	return answer_read(vcpu, judged, &effect, err);
}

/*
 * Most reads end here, answered by a rule. Therefore judged_read(), which needs more
 * registers and a large frame, is not inlined; for the same reason neither this function
 * nor write_exit() is inlined in msr_exit().
 */
static __attribute__((noinline)) int
read_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	struct judged judged;
	const struct verdict *verdict = &judged.verdict;

	judged.policy = policy;
	judged.access = get_access(vcpu, false);
	judge(policy, &no_state, &judged.access, &judged.verdict);
	/* The register is read only if its value goes to the guest or into an event. */
	/* judge() always fills the verdict. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch) */
	if (verdict->answered && !verdict->rule) {
		vcpu->io.run->msr.data = verdict->value;
		return refused_answer_msr(vcpu, false);
	}
	return judged_read(vcpu, &judged);
}

/*
 * Refuses a write. Nothing is written, so the event is complete as soon as it is made, and
 * there is one only: for the rule that decided.
 */
static int refuse_write(struct regpin_vcpu *vcpu, const struct judged *judged,
			uint64_t proposed, unsigned int unread)
{
	struct regpin_event event;

	violation_make(vcpu, judged, REGPIN_EVENT_VIOLATION, proposed, unread, &event);
	vm_send_event(vcpu->vm, vcpu, &event);
	return refused_answer_msr(vcpu, event.action == REGPIN_GP);
}

/* Carries out a write that is not refused. @err is the error of reading the register. */
static __attribute__((noinline)) int
let_write(struct regpin_vcpu *vcpu, struct judged *judged, uint64_t proposed,
	  struct effect effect, int err)
{
	const struct verdict *verdict = &judged->verdict;
	struct access *access = &judged->access;
	struct regpin_event event;
	int ret;

	/* Make the event before the write, which may arm the vCPU. */
	if (verdict->rule) {
		violation_make(vcpu, judged, REGPIN_EVENT_VIOLATION, proposed,
			       effect.unread, &event);
		if (must_interrupt(verdict) &&
		    hold_or_stop(vcpu, judged, &event, &effect))
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
	ret = apply_write(vcpu, judged->policy, access, proposed, &effect);
	if (verdict->rule && !must_interrupt(verdict))
		report_effect(vcpu, judged, &effect, &event);
	return ret;
}

static __attribute__((noinline)) int
write_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy)
{
	uint64_t proposed = vcpu->io.run->msr.data, old = 0;
	struct judged judged;
	struct access *access = &judged.access;
	const struct verdict *verdict = &judged.verdict;
	uint8_t unread = 0;
	bool plain;
	int err;

	judged.policy = policy;
	*access = get_access(vcpu, true);
	plain = replay_is_plain(access->index);
	err = perform_preview(vcpu, access, &old, proposed);
	/* A plain register is known, and is not EFER: one comparison instead of several. */
	if (err || (!plain && !replay_known(&vcpu->guest, access->index)))
		unread = REGPIN_UNREAD_OLD | REGPIN_UNREAD_VALUE;
	if (!plain && access->index == MSR_EFER && !err)
		init_find_in_efer(vcpu, old);
	floor_judge_state(vcpu, access, &judged.state);
	judge(policy, &judged.state, access, &judged.verdict);
	if (action_refuses(verdict->action) && !must_interrupt(verdict))
		return refuse_write(vcpu, &judged, proposed, unread);
	return let_write(vcpu, &judged, proposed,
			 (struct effect){ verdict->action, unread, verdict->value },
			 err);
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

static int judged_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		       bool write)
{
	return write ? write_exit(vcpu, policy) : read_exit(vcpu, policy);
}

/* The access is not that of the first rules on its register: searches all rules. */
static __attribute__((noinline)) int
rare_exit(struct regpin_vcpu *vcpu, const struct regpin_policy *policy, bool write)
{
	struct access access = get_access(vcpu, write);
	unsigned int type = write ? ACCESS_WRITE : ACCESS_READ;

	if (is_request(policy, &access))
		return request_exit(vcpu);
	if (!filter_wants(policy, access.index, type))
		return unwanted_exit(vcpu, policy, &access);
	if (!filter_wants_unused(policy, access.index, type))
		return judged_exit(vcpu, policy, write);
	return vmm_wants(vcpu->vm, access.index, type) ?
		       pass_to_vmm(vcpu) : nowhere_exit(vcpu, policy, &access);
}

/*
 * An access for which the policy has a rule is judged, whatever KVM's reason for the exit
 * is: if the reason is not the filter, KVM still has another policy's filter, and an
 * access must not be judged half by each. Not inlined, so that exits that are not
 * regpin's need not save registers for it.
 */
__attribute__((noinline)) int msr_exit(struct regpin_vcpu *vcpu)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	const struct kvm_run *run = vcpu->io.run;
	bool write = run->exit_reason == KVM_EXIT_X86_WRMSR;

	if (!is_known_reason(run->msr.reason))
		return 0;
	/* The MSR of `request` has no rule: policy_check() makes sure of that. */
	if (filter_wants_first(policy, run->msr.index, write ? ACCESS_WRITE : ACCESS_READ))
		return judged_exit(vcpu, policy, write);
	return rare_exit(vcpu, policy, write);
}
