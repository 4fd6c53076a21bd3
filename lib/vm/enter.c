// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * May this vCPU enter the guest? Nearly always it may, and then a single flag,
 * `attention`, is clear. If the flag is set, the vCPU looks at everything that may have
 * changed.
 */
#include <errno.h>
#include <unistd.h>

#include "audit.h"
#include "core.h"
#include "detect.h"
#include "floor.h"
#include "init.h"
#include "lib/kvm/retract.h"
#include "lifecycle.h"
#include "migration.h"
#include "types.h"

/* The vCPU may not enter: marks it as outside, so that no waiter for all vCPUs waits for it. */
static int refuse_entry(struct regpin_vcpu *vcpu, enum regpin_entry entry)
{
	vcpu_alert(vcpu);
	regpin_vcpu_leave(vcpu);
	return entry;
}

/*
 * Does the vCPU still wait for an answer? If there is one, carries it out and forgets it.
 * The vCPU's thread is the only one that changes @why.
 */
static bool still_held(struct regpin_vcpu *vcpu)
{
	struct hold *hold = &vcpu->hold;
	uint32_t why = atomic_load(&hold->why), answer;
	struct regpin_event event = hold->event;

	if (why == HOLD_NOT)
		return false;
	answer = atomic_load(&hold->answer);
	if (answer == REGPIN_ACTION_MAX)
		return true;
	vm_lock(vcpu->vm);
	hold->why = HOLD_NOT;
	if (why == HOLD_ACCESS) {
		hold->ticket = answer;
		hold->access = hold->event;
	}
	vm_unlock(vcpu->vm);
	/* While the vCPU was held, it could not arm. */
	vcpu->deadline.since = 0;
	event.type = REGPIN_EVENT_ANSWERED;
	event.action = (uint8_t)answer;
	vm_send_event(vcpu->vm, vcpu, &event);
	if (answer == REGPIN_STOP)
		vm_stop(vcpu->vm, vcpu);
	else if (why == HOLD_DETECTED)
		detect_apply_answer(vcpu, answer == REGPIN_GP);
	else if (why == HOLD_DEADLINE)
		vcpu->deadline.waived = true;
	return false;
}

/* Returns why the vCPU may not enter, or REGPIN_ENTER. */
static enum regpin_entry find_bar(struct regpin_vcpu *vcpu)
{
	if (atomic_load(&vcpu->vm->stopped))
		return REGPIN_STOPPED;
	return vcpu->end.in_shutdown || still_held(vcpu) ? REGPIN_HELD :
							   REGPIN_ENTER;
}

/* A vCPU is held for one reason at a time; the next refresh() finds the others. */
static bool is_held(const struct regpin_vcpu *vcpu)
{
	return atomic_load(&vcpu->hold.why) != HOLD_NOT;
}

/* Looks at the vCPU's registers, which may arm, disarm, hold or stop it. */
static void refresh(struct regpin_vcpu *vcpu)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	const struct vmm_moment moment = {
		.pinned = phase_pinned(vcpu->life.phase),
	};
	enum regpin_cause cause = vcpu->writes.state != VMM_NONE ?
		REGPIN_BY_LOAD : atomic_load(&vcpu->vm->gate.cause);
	bool ticked = atomic_exchange(&vcpu->wake.ticked, false);

	if (vcpu->writes.state != VMM_NONE &&
	    lifecycle_step_vmm(vcpu, VMM_RUNS, &moment) == VMM_INIT)
		init_take_pins(vcpu);
	/* In SMM or in L2 its registers cannot be read: look again at the next entry. */
	vcpu->life.look_again = !lifecycle_refresh(vcpu, cause);
	if (!audit_policy(vcpu, policy))
		vcpu->life.look_again = true;
	if (vcpu->vm->polled && phase_pinned(vcpu->life.phase) &&
	    !is_held(vcpu) &&
	    (ticked || !vcpu->detect.polled_at || floor_is_queried(vcpu)))
		detect_poll(vcpu, policy);
	if (!is_held(vcpu))
		detect_check_time(vcpu, policy);
}

#define LATE_TICK_MS	50

static unsigned int next_tick(const struct regpin_vcpu *vcpu)
{
	const struct settings *settings = &vcpu->vm->policies.now->settings;

	if (!vcpu->vm->filters.msrs_wanted)
		return 0;
	if (vcpu->vm->polled && phase_pinned(vcpu->life.phase))
		return settings->detect_ms;
	if (vcpu->life.look_again || vcpu->life.in_setup)
		return LATE_TICK_MS;
	/* The deadline begins when a first vCPU is armed and set up. */
	if (!settings->deadline_ms || vcpu->deadline.waived ||
	    vcpu->life.phase == PHASE_READY || !vm_is_set_up(vcpu->vm))
		return 0;
	return LATE_TICK_MS;
}

/*
 * Completes an exit that regpin answered. If KVM does not complete it, stops the VM, since
 * the value of the register is unknown. Returns true if KVM exited again.
 */
static bool complete_answered(struct regpin_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->io.run;
	bool is_cr = run->exit_reason == KVM_EXIT_X86_CR_WRITE;
	uint32_t index = is_cr ? 0 : run->msr.index;
	int ret = vcpu_complete(&vcpu->io);

	if (ret < 0)
		vm_stop_for_register(vcpu, is_cr ? REGPIN_CR0 : REGPIN_MSR,
				     index, ret);
	return ret == VCPU_EXITED;
}

/*
 * Completes the VMM's own last exit (I/O, MMIO, an MSR). The vCPU does not enter, so its
 * VMM may read and save its state now, and KVM's API asks for a KVM_RUN before that.
 * Returns true if KVM exited again: the VMM has to handle that exit first.
 */
static bool complete_vmms(struct regpin_vcpu *vcpu)
{
	if (vcpu_complete(&vcpu->io) != VCPU_EXITED)
		return false;
	vcpu_alert(vcpu);
	return true;
}

static __attribute__((noinline)) int handle_attention(struct regpin_vcpu *vcpu)
{
	enum regpin_entry entry;
	uint32_t epoch;

	/* Only when the last exit is complete are KVM's registers up to date. */
	if (vcpu->io.answered && complete_answered(vcpu))
		return REGPIN_EXITED;
	/* Clear the flag before looking: later changes set it again. */
	atomic_store(&vcpu->wake.attention, false);
	epoch = atomic_load(&vcpu->vm->epoch);
	entry = find_bar(vcpu);
	if (entry == REGPIN_ENTER && vcpu->vm->filters.msrs_wanted) {
		refresh(vcpu);
		floor_answer_query(vcpu);
		entry = find_bar(vcpu);
	}
	atomic_store(&vcpu->wake.epoch, epoch);
	if (entry != REGPIN_ENTER)
		return complete_vmms(vcpu) ? REGPIN_EXITED :
					     refuse_entry(vcpu, entry);
	if (vcpu->migration.read.regs || vcpu->migration.read.clock)
		migration_note_entry(vcpu);
	if (vcpu->life.look_again)
		vcpu_alert(vcpu);
	vcpu->wake.tick_ms = next_tick(vcpu);
	return REGPIN_ENTER;
}

/* The id of this thread; 0 until it has entered a vCPU. */
static __thread int thread_number __attribute__((tls_model("initial-exec")));

static __attribute__((noinline)) void note_thread(struct regpin_vcpu *vcpu)
{
	if (!thread_number)
		thread_number = gettid();
	lifecycle_set_thread(vcpu, thread_number);
}

int regpin_vcpu_enter(struct regpin_vcpu *vcpu)
{
	int entry = REGPIN_ENTER;

	if (__builtin_expect(atomic_load_explicit(&vcpu->wake.thread,
						  memory_order_relaxed) !=
			     thread_number, 0))
		note_thread(vcpu);
	/* `inside` must be set before `attention` is read: see operate.c. */
	atomic_store_explicit(&vcpu->wake.inside, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&vcpu->wake.attention,
						  memory_order_relaxed), 0))
		entry = handle_attention(vcpu);
	vcpu->io.answered = false;
	return entry;
}

void regpin_vcpu_tick(struct regpin_vcpu *vcpu)
{
	atomic_store(&vcpu->wake.ticked, true);
	vcpu_alert(vcpu);
}

unsigned int regpin_vcpu_tick_ms(const struct regpin_vcpu *vcpu)
{
	return vcpu->wake.tick_ms;
}
