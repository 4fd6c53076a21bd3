// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: a vCPU is armed when the guest first sets LSTAR, because an
 * operating system has taken over from firmware then. It stays armed until the VMM resets
 * it: LSTAR and SFMASK are always filtered, so the guest cannot disarm it. The VM is armed
 * while any of its vCPUs is. The first armed vCPU settles the uniform values when it has
 * finished its set-up. A state that the VMM loads is armed when it is written, before any
 * vCPU enters; otherwise a guest could be saved when it does not count as armed, and run
 * without pins.
 *
 * vCPUs arm only while the gate of the VM is open. The guest or the operator may have to
 * open it, and a window closes it for a while. Each closing begins another life of the
 * VM, and pins of an earlier life are void: each vCPU compares its own life with the
 * VM's, see lifecycle_catch_up().
 *
 * An INIT clears a vCPU's control registers and EFER but not its syscall MSRs, and disarms
 * it; see init.c. The VM stays armed, so the vCPU is under the floor until it sets LSTAR
 * itself, or until a reset or a window lifts the floor.
 *
 * The set-up ends when LSTAR and SFMASK have both been written, in any order, since the
 * last INIT, reset or window. A kernel that takes over from another one begins a new
 * set-up. Where SFMASK is never written, time ends the set-up.
 *
 * The table in phase.c has all these rules. The functions here give it its events and
 * carry out its actions.
 */
#include <errno.h>
#include <unistd.h>

#include "core.h"
#include "efer.h"
#include "floor.h"
#include "gate.h"
#include "hold.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "phase.h"
#include "types.h"
#include "values.h"
#include "vm_filters.h"
#include "vmm_write.h"

struct phase_step lifecycle_step(struct regpin_vcpu *vcpu, enum happening event,
				 const struct phase_moment *moment)
{
	static const struct phase_moment nothing;
	uint8_t phase = atomic_load(&vcpu->life.phase);
	struct phase_step step;

	/*
	 * The VMM may write registers in one thread while another thread judges an exit of
	 * the vCPU. Neither step may be lost: it could be the one that pins.
	 */
	do
		step = phase_next(phase, event, moment ? moment : &nothing);
	while (step.to != phase &&
	       !atomic_compare_exchange_weak(&vcpu->life.phase, &phase, step.to));
	return step;
}

enum vmm_act lifecycle_step_vmm(struct regpin_vcpu *vcpu, enum vmm_event event,
				const struct vmm_moment *moment)
{
	static const struct vmm_moment nothing;
	uint8_t state = atomic_load(&vcpu->writes.state);
	struct vmm_step step;

	/* As above. */
	do
		step = vmm_next(state, event, moment ? moment : &nothing);
	while (step.to != state &&
	       !atomic_compare_exchange_weak(&vcpu->writes.state, &state, step.to));
	return step.act;
}

struct phase_moment lifecycle_get_moment(struct regpin_vm *vm)
{
	uint32_t gate = atomic_load(&vm->gate.state);

	return (struct phase_moment){
		.open = gate == GATE_OPEN,
		.once = gate == GATE_WINDOW && atomic_load(&vm->gate.once),
		.start = vm->policies.now->arming == ARM_START,
	};
}

static void finish_set_up(struct regpin_vcpu *vcpu)
{
	struct phase_step step = lifecycle_step(vcpu, SET_UP_DONE, NULL);

	if (step.act & ACT_REMEMBER)
		values_settle(vcpu);
}

/* KVM has refused a filter. Stops the VM, which must not run without protection. */
static void stop_unprotected(struct regpin_vcpu *vcpu, int err)
{
	struct regpin_event event = { .type = REGPIN_EVENT_FAILED,
				      .kind = REGPIN_CR0,
				      .action = REGPIN_STOP,
				      .rule = REGPIN_NO_RULE,
				      .detail = (uint32_t)-err };

	vm_send_event(vcpu->vm, vcpu, &event);
	vm_stop(vcpu->vm, vcpu);
}

/*
 * May the vCPU still arm? The gate may have been closed since the table was asked: pins
 * that are set now would outlive the window. lifecycle_step_gate() has alerted the vCPU.
 * Caller holds the VM lock.
 */
static bool may_arm_locked(const struct regpin_vcpu *vcpu)
{
	return vcpu->life.vm_life == atomic_load(&vcpu->vm->gate.life) &&
	       atomic_load(&vcpu->vm->gate.state) == GATE_OPEN;
}

void lifecycle_arm(struct regpin_vcpu *vcpu, enum regpin_cause cause)
{
	struct regpin_event event = { .type = REGPIN_EVENT_ARMED,
				      .rule = REGPIN_NO_RULE,
				      .detail = cause };
	int err = 0;
	bool open;

	if (phase_pinned(vcpu->life.phase))
		return;
	vcpu->wake.thread = gettid();
	/* One lock for both: drop_values_locked() clears the filter if no vCPU is armed. */
	vm_lock(vcpu->vm);
	open = may_arm_locked(vcpu);
	if (open)
		err = vm_set_cr_filter_locked(vcpu->vm);
	if (open && !err)
		lifecycle_step(vcpu, PINS_HOLD, NULL);
	vm_unlock(vcpu->vm);
	if (!open)
		return;
	if (err) {
		stop_unprotected(vcpu, err);
		return;
	}
	vcpu->detect.polled_at = 0;
	vm_send_event(vcpu->vm, vcpu, &event);
	vcpu_alert(vcpu);
}

static struct gate_moment gate_moment(const struct regpin_vm *vm)
{
	uint32_t arming = vm->policies.now->arming;

	return (struct gate_moment){
		.request = arming == ARM_REQUEST,
		.operator = arming == ARM_OPERATOR,
		.first_life = !atomic_load(&vm->gate.life),
	};
}

/*
 * Forgets the VM's values if no vCPU is armed any more. After a window, other vCPUs may
 * arm while this one still catches up. Caller holds the VM lock, under which they arm.
 */
static void drop_values_locked(struct regpin_vm *vm)
{
	const struct gate_moment moment = gate_moment(vm);
	uint32_t gate, to;

	if (vm_is_armed_locked(vm))
		return;
	values_forget_locked(vm);
	gate = atomic_load(&vm->gate.state);
	to = gate_next(gate, GATE_LAST_GONE, &moment).to;
	if (to != gate)
		atomic_store(&vm->gate.state, to);
	/* After a reset, firmware must be as free as it was at first. */
	if (vm->policies.now->arming != ARM_START)
		vm_clear_cr_filter_locked(vm);
}

/* Carries out ACT_LEAVE. @counted: the vCPU kept its VM armed. */
static void release_vm(struct regpin_vcpu *vcpu, bool counted)
{
	struct regpin_vm *vm = vcpu->vm;

	vcpu->life.in_setup = false;
	vcpu->life.settled_uniform = false;
	vcpu->deadline.waived = false;
	vcpu->deadline.since = 0;
	vcpu->life.vm_life = atomic_load(&vm->gate.life);
	vm_lock(vm);
	if (vm->values.first == vcpu)
		vm->values.first = NULL;
	if (counted)
		drop_values_locked(vm);
	vm_unlock(vm);
}

void lifecycle_drop_vcpu(struct regpin_vcpu *vcpu)
{
	bool counted = phase_counts(vcpu->life.phase);

	lifecycle_step(vcpu, VCPU_GONE, NULL);
	release_vm(vcpu, counted);
}

static void disarm_vcpu(struct regpin_vcpu *vcpu, enum happening event,
			enum regpin_cause cause)
{
	struct regpin_event report = { .type = event == RESET_SEEN ?
						REGPIN_EVENT_RESET :
						REGPIN_EVENT_DISARMED,
				       .rule = REGPIN_NO_RULE,
				       .detail = cause };
	bool counted = phase_counts(vcpu->life.phase);

	lifecycle_step(vcpu, event, NULL);
	release_vm(vcpu, counted);
	if (counted)
		vm_send_event(vcpu->vm, vcpu, &report);
}

void lifecycle_step_gate(struct regpin_vm *vm, enum gate_event event)
{
	const struct gate_moment moment = gate_moment(vm);
	struct gate_step step;
	uint32_t gate;

	vm_lock(vm);
	gate = atomic_load(&vm->gate.state);
	step = gate_next(gate, event, &moment);
	if (step.act & GATE_FORGET) {
		values_forget_locked(vm);
		atomic_store(&vm->gate.cause, step.cause);
	}
	/*
	 * Count the life before the gate opens, so that no pin of the last life holds; and
	 * under the lock, so that none is set in between: see may_arm_locked().
	 */
	if (step.act & GATE_NEW_LIFE) {
		atomic_store(&vm->gate.kernel_seen, false);
		atomic_fetch_add(&vm->gate.life, 1);
	}
	if (step.to != gate)
		atomic_store(&vm->gate.state, step.to);
	if (step.cause != GATE_NO_CAUSE)
		atomic_store(&vm->gate.cause, step.cause);
	if (step.act & GATE_LOOK)
		vm_alert_locked(vm);
	vm_unlock(vm);
}

void lifecycle_request(struct regpin_vcpu *vcpu)
{
	const struct gate_moment moment = gate_moment(vcpu->vm);
	uint32_t gate = atomic_load(&vcpu->vm->gate.state);
	int err;

	if (gate_next(gate, GATE_REQUEST, &moment).to == gate)
		return;
	err = vm_set_cr_filter(vcpu->vm);
	if (err)
		stop_unprotected(vcpu, err);
	else
		lifecycle_step_gate(vcpu->vm, GATE_REQUEST);
}

/*
 * Drops pins that belong to an earlier life of the VM. Also drops those of a vCPU that had
 * no thread while a reset of all others closed the gate: see vm_is_armed().
 */
void lifecycle_catch_up(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;

	if (vcpu->life.vm_life == atomic_load(&vm->gate.life) &&
	    !(phase_counts(vcpu->life.phase) &&
	      atomic_load(&vm->gate.state) == GATE_CLOSED))
		return;
	disarm_vcpu(vcpu, PINS_VOID,
		    atomic_load(&vm->gate.state) == GATE_OPEN ?
			    REGPIN_BY_WINDOW :
			    atomic_load(&vm->gate.cause));
}

/*
 * Carries out the actions after the guest has written LSTAR or SFMASK. A window for one
 * kernel ends with the set-up of that kernel, and not earlier: registers that the kernel
 * has yet to write may still hold the values of the previous one.
 */
static void carry_out_actions(struct regpin_vcpu *vcpu, unsigned int act,
			      enum regpin_cause cause)
{
	struct regpin_vm *vm = vcpu->vm;

	if (act & ACT_NOTE)
		atomic_store(&vm->gate.kernel_seen, true);
	/* If several vCPUs finish at once, only one of them ends the window. */
	if (act & ACT_OPEN && !atomic_exchange(&vm->gate.once, false))
		act &= ~(unsigned int)(ACT_OPEN | ACT_PIN);
	if (act & ACT_OPEN) {
		cause = REGPIN_BY_WINDOW;
		lifecycle_step_gate(vm, GATE_KERNEL_DONE);
	}
	if (act & ACT_PIN)
		lifecycle_arm(vcpu, cause);
	if (act & ACT_FINISH && vcpu_is_pinned(vcpu))
		finish_set_up(vcpu);
}

void lifecycle_note_write(struct regpin_vcpu *vcpu, uint32_t index,
			  uint64_t value)
{
	enum happening event = LSTAR_CLEARED;
	struct phase_moment moment;
	struct phase_step step;
	uint64_t lstar = 0;

	if (index == MSR_PAT)
		values_settle_pat(vcpu, value);
	if (index == MSR_EFER)
		efer_note(vcpu, value);
	if ((vcpu->life.phase == PHASE_READY && vcpu_is_pinned(vcpu)) ||
	    (index != MSR_LSTAR && index != MSR_SFMASK))
		return;
	lifecycle_catch_up(vcpu);
	moment = lifecycle_get_moment(vcpu->vm);
	if (index == MSR_SFMASK) {
		event = SFMASK_SET;
		vcpu_get_msr(&vcpu->io, MSR_LSTAR, &lstar);
		moment.lstar = lstar;
	} else if (value) {
		event = LSTAR_SET;
		vcpu_alert(vcpu);
	}
	step = lifecycle_step(vcpu, event, &moment);
	carry_out_actions(vcpu, step.act, REGPIN_BY_SYSCALL_ENTRY);
}

/*
 * A vCPU that moves between two threads counts as unplugged meanwhile, so a reset of all
 * others may have dropped the VM's values. This vCPU still has them: settles them again,
 * and sets the CR filter again.
 */
static void restore_vm_values(struct regpin_vcpu *vcpu)
{
	int err;

	if (vcpu->life.phase != PHASE_READY || !vcpu_is_pinned(vcpu) ||
	    atomic_load(&vcpu->vm->values.settled) != UNIFORM_OPEN)
		return;
	err = vm_set_cr_filter(vcpu->vm);
	if (err) {
		stop_unprotected(vcpu, err);
		return;
	}
	finish_set_up(vcpu);
}

/* The vCPU is pinned and has an LSTAR. Ends its set-up if it has an SFMASK as well. */
static void check_set_up(struct regpin_vcpu *vcpu)
{
	struct phase_moment moment = { 0 };
	uint64_t sfmask = 0;

	if (phase_asks_sfmask(vcpu->life.phase))
		vcpu_get_msr(&vcpu->io, MSR_SFMASK, &sfmask);
	moment.sfmask = sfmask;
	if (lifecycle_step(vcpu, CHECKED, &moment).act & ACT_REMEMBER)
		values_settle(vcpu);
}

bool lifecycle_refresh(struct regpin_vcpu *vcpu, enum regpin_cause cause)
{
	struct regpin_vm *vm = vcpu->vm;
	struct phase_moment moment;
	struct phase_step step;
	uint64_t lstar = 0;

	lifecycle_catch_up(vcpu);
	restore_vm_values(vcpu);
	moment = lifecycle_get_moment(vm);
	moment.other = atomic_load(&vm->gate.kernel_seen);
	lifecycle_step(vcpu, LOOKED, &moment);
	if (vcpu->life.phase == PHASE_READY || !moment.open)
		return true;
	vcpu_get_msr(&vcpu->io, MSR_LSTAR, &lstar);
	moment.lstar = lstar;
	moment.own_regs = moment.start || !lstar ||
			  !phase_asks_own_regs(vcpu->life.phase) ||
			  vcpu_shows_kernel(&vcpu->io, &vcpu->guest);
	step = lifecycle_step(vcpu, FOUND, &moment);
	if (step.act & ACT_LATER)
		return false;
	if (step.act & ACT_FLOOR)
		floor_check(vcpu, lstar);
	if (step.act & ACT_PIN)
		lifecycle_arm(vcpu, moment.start ? REGPIN_BY_START : cause);
	if (lstar && phase_pinned(vcpu->life.phase))
		check_set_up(vcpu);
	vcpu->life.in_setup = lstar && phase_sets_up(vcpu->life.phase);
	return true;
}

void lifecycle_end_setup(struct regpin_vcpu *vcpu, uint32_t ms)
{
	struct regpin_event event = { .type = REGPIN_EVENT_SETTLED,
				      .rule = REGPIN_NO_RULE, .detail = ms };

	if (!vcpu_is_pinned(vcpu))
		return;
	vm_send_event(vcpu->vm, vcpu, &event);
	finish_set_up(vcpu);
	if (vcpu->life.settled_uniform)
		atomic_store(&vcpu->vm->values.ended_by_time, true);
}

void lifecycle_set_thread(struct regpin_vcpu *vcpu, int thread)
{
	atomic_store(&vcpu->wake.thread, thread);
	if (!phase_counts(vcpu->life.phase))
		return;
	/* Another thread has another run time. */
	vcpu->deadline.since = 0;
	if (vcpu->detect.polled_at) {
		vcpu->detect.polled_at = vcpu_run_time();
		atomic_store(&vcpu->wake.ticked, true);
	}
	vcpu_alert(vcpu);
}

void lifecycle_note_load(struct regpin_vcpu *vcpu)
{
	uint64_t lstar = 0;

	vcpu_get_msr(&vcpu->io, MSR_LSTAR, &lstar);
	if (!lstar)
		return;
	lifecycle_step_vmm(vcpu, VMM_LOADED, NULL);
	lifecycle_step(vcpu, STATE_LOADED, NULL);
	lifecycle_step_gate(vcpu->vm, GATE_LOADED);
	lifecycle_refresh(vcpu, REGPIN_BY_LOAD);
	/* The VMM may load a state in several writes; the last one completes the values. */
	if (vcpu->life.phase == PHASE_READY)
		values_remember(vcpu);
}

/* A reset lets a stopped VM run again, unless KVM still refuses the policy's filters. */
static void resume_stopped(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;

	if (!vcpu->end.reports_stop)
		return;
	vm_lock(vm);
	if (vm->filters.refused)
		vm->filters.refused = vm_refilter_locked(vm);
	if (!vm->filters.refused) {
		atomic_store(&vm->stopped, false);
		vcpu->end.reports_stop = false;
	}
	vm_unlock(vm);
}

bool lifecycle_handle_reset(struct regpin_vcpu *vcpu,
			    const struct snapshot *before,
			    const struct snapshot *after)
{
	int lstar = replay_slot(MSR_LSTAR);
	bool over = vcpu->end.in_shutdown || vcpu->end.reports_stop;

	/*
	 * A reset turns paging off and clears LSTAR. An INIT does not clear LSTAR; a VMM
	 * with the APIC in userspace writes the registers of an INIT as well, whenever
	 * the guest wants one.
	 */
	if (after->crs[0] & CR0_PG || after->msrs[lstar])
		return false;
	/*
	 * Paging may be off and LSTAR clear already before the write: on SVM, KVM clears
	 * a vCPU at a triple fault. If the vCPU reported a shutdown, the write is a
	 * reset. Otherwise writing back unchanged registers is not a reset: QEMU does it
	 * when the guest wants, and the guest may have done both itself. A vCPU that is
	 * armed from the start may never have had an LSTAR.
	 */
	if (!over && snapshot_same(before, after))
		return false;
	if (!over && !(before->crs[0] & CR0_PG) && !before->msrs[lstar] &&
	    vcpu->life.phase != PHASE_READY && vcpu->vm->policies.now->arming == ARM_START)
		return false;
	disarm_vcpu(vcpu, RESET_SEEN, 0);
	hold_drop(vcpu);
	resume_stopped(vcpu);
	vcpu->end.in_shutdown = false;
	return true;
}
