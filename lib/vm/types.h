/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structs of a VM and its vCPUs under a policy. The functions on them are declared in
 * this folder's other headers, each in the header that has the name of its source file.
 */
#ifndef REGPIN_LIB_TYPES_H
#define REGPIN_LIB_TYPES_H

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "regpin/event.h"
#include "gate.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/kvm/host.h"
#include "lib/kvm/regs.h"
#include "lib/policy/guest.h"
#include "phase.h"
#include "reached.h"
#include "state.h"

/**
 * struct uniform - the value that all vCPUs must write to a register
 * @known: @value is settled: the first armed vCPU has finished its syscall set-up
 * @value: what the register of that vCPU held then
 */
struct uniform {
	_Atomic bool known;
	_Atomic uint64_t value;
};

/* Memory slots that are tracked: VMMs use the lowest numbers, QEMU a few dozen. */
#define NR_SLOTS	512

/**
 * struct in_force - those rules of a policy whose conditions a guest meets
 * @policy: a policy of these rules alone
 * @numbers: for each rule of @policy, its number in the whole policy
 * @of: the whole policy; NULL: nothing here can be used again
 * @conditions: the conditions of @of that the guest meets, see whens_match()
 */
struct in_force {
	struct regpin_policy policy;
	uint16_t numbers[POLICY_MAX_RULES];
	const struct regpin_policy *of;
	uint64_t conditions;
};

/* Whether the VM's uniform values are settled; struct vm_values' @settled. */
enum { UNIFORM_OPEN, UNIFORM_SETTLING, UNIFORM_SETTLED };

/**
 * struct vm_gate - whether vCPUs may arm; see gate.h
 * @state: enum gate; set by lifecycle_step_gate(), and by lifecycle.c when the last armed
 *	vCPU is gone
 * @life: number of windows and disarmings so far: pins of an earlier life are void
 * @cause: enum regpin_cause: what opened the gate last
 * @once: the window ends when one kernel has finished its set-up
 * @kernel_seen: a kernel has set its entry point while the gate was closed
 *
 * Any thread may read the members. @state and @life are written under the VM lock.
 */
struct vm_gate {
	_Atomic uint32_t state;
	_Atomic uint32_t life;
	_Atomic uint32_t cause;
	_Atomic bool once;
	_Atomic bool kernel_seen;
};

/**
 * struct vm_policies - the policies of a VM
 * @now: the policy in force: @whole, or those of its rules whose conditions the guest
 *	meets. A swap replaces it while the VM runs. A vCPU's own exits read it as it is;
 *	all other code reads it between vm_get_policy() and vm_put_policy()
 * @whole: the policy that the caller gave last, borrowed
 * @previous: the policy that @whole replaced, while a vCPU may still judge by it;
 *	otherwise NULL
 * @conditions: the conditions of @whole that the guest meets
 * @rooms: memory for @now and for what @now replaced; NULL where not needed
 * @number: number of @now, for threads that must not read @now itself
 * @swaps: number of swaps so far; two policies may have the same number
 * @users: number of threads between vm_get_policy() and vm_put_policy()
 *
 * Written under the VM lock, except @users.
 */
struct vm_policies {
	_Atomic(const struct regpin_policy *) now;
	const struct regpin_policy *whole, *previous;
	uint64_t conditions;
	_Atomic(struct in_force *) rooms[2];
	_Atomic uint32_t number;
	_Atomic uint32_t swaps;
	_Atomic uint32_t users;
};

/**
 * struct vm_filters - the filters that KVM has for a VM
 * @msrs_wanted: the policy in force, or an earlier one, needs the MSR filter; otherwise
 *	KVM is never asked for it
 * @crs_wanted: the policy in force needs the CR filter
 * @crs_set: KVM has the CR filter
 * @crs_ever_set: KVM had the CR filter at some time, so one of its exits may be pending
 * @hypercalls_forwarded: KVM forwards hypercall 13 because of a policy, and the VMM has
 *	not asked for it
 * @refused: KVM has refused the filters of the policy in force: a reset does not lift the
 *	VM's @stopped until KVM accepts them
 * @vmm_mask: the VMM's own KVM_MSR_EXIT_REASON_* mask
 * @reasons: the KVM_MSR_EXIT_REASON_* mask that policies need
 * @vmm: a copy of the VMM's own filter; NULL: it has none
 * @copies: memory for @vmm. A new filter goes to the copy that @vmm does not point at, so
 *	that an exit that reads the old filter at this moment reads it whole
 * @merged: the filter that KVM was given last, or would have been given
 * @overflow: the MSR ranges for which the last filter that did not fit had no room
 *
 * Written under the VM lock. Exits read the atomic members, and what @vmm points at.
 */
struct vm_filters {
	_Atomic bool msrs_wanted, crs_wanted;
	_Atomic bool crs_set, crs_ever_set, hypercalls_forwarded;
	bool refused;
	_Atomic uint64_t vmm_mask;
	uint64_t reasons;
	_Atomic(struct msr_filter *) vmm;
	struct msr_filter copies[2];
	struct msr_filter merged;
	struct overflow overflow;
};

/**
 * struct vm_values - the first armed vCPU's values, with which the others are compared
 * @settled: UNIFORM_OPEN, UNIFORM_SETTLING or UNIFORM_SETTLED. Only the thread that sets
 *	UNIFORM_SETTLING writes @uniform; then that thread sets UNIFORM_SETTLED
 * @uniform: the settled values, by replay_slot()
 * @first: the first armed vCPU, or the one that took its place; NULL: it is gone. Under
 *	the VM lock
 * @first_query: number of times that @first was asked for its protections
 * @first_reply: number of the last query that @first has answered
 * @first_protections: all protections that @first, and the vCPUs that had its place
 *	before, were seen to have since @uniform was last forgotten. No bit is cleared
 *	before @uniform is forgotten again. Under the VM lock
 * @ended_by_time: time ended the set-up of @first: its kernel writes no SFMASK
 */
struct vm_values {
	_Atomic uint32_t settled;
	struct uniform uniform[NR_REPLAY];
	struct regpin_vcpu *first;
	_Atomic uint32_t first_query, first_reply;
	struct protections first_protections;
	_Atomic bool ended_by_time;
};

/**
 * struct vm_limits - features of a VM that not every policy accepts
 * @smm: the VM has memory for SMM
 * @own_pat: nested guests have a PAT of their own
 * @tolerated: one bit for each enum regpin_refusal for which a policy that enforces would
 *	refuse the VM, and which the event `tolerated` has reported
 */
struct vm_limits {
	_Atomic bool smm, own_pat;
	_Atomic uint32_t tolerated;
};

/**
 * struct vm_migration - state that was taken out of a VM or loaded; see migration.c
 * @slots: the size of each memory slot, and SLOT_LOGGED if KVM logs its writes
 * @seen: the fingerprints are written there; NULL: nowhere
 *
 * Under the VM lock.
 */
struct vm_migration {
	uint64_t slots[NR_SLOTS];
	struct state_seen *seen;
};

/**
 * struct regpin_vm - a VM under a policy
 * @fd: file descriptor of the VM, borrowed
 * @options: the caller's options
 * @host: what this host's KVM can do
 * @older: next VM in a list that the caller keeps
 * @lock: the VM lock. A vCPU's exits take it only where the vCPU arms, disarms, starts
 *	or is compared with a new policy
 * @vcpus: head of the list of vCPUs. The list is changed under the VM lock, and a vCPU is
 *	complete before it is in the list. Where no vCPU can be detached, the list may be
 *	read without the lock
 * @epoch: number of changes so far that every vCPU must look at before it enters again
 * @polled: the policy in force has rules on control registers that can only be polled
 * @stopped: no vCPU of the VM may enter
 * @unreached: enum regpin_unreached: why no vCPU of the VM can be kicked
 * @policies: the policy in force, and the previous one
 * @filters: the filters that KVM has
 * @values: the first armed vCPU's values
 * @limits: features that not every policy accepts
 * @migration: state that was taken out or loaded
 * @gate: whether vCPUs may arm
 */
struct regpin_vm {
	int fd;
	struct regpin_vm_options options;
	struct host host;
	struct regpin_vm *older;
	atomic_flag lock;
	_Atomic(struct regpin_vcpu *) vcpus;
	_Atomic uint32_t epoch;
	_Atomic bool polled;
	_Atomic bool stopped;
	_Atomic uint32_t unreached;
	struct vm_policies policies;
	struct vm_filters filters;
	struct vm_values values;
	struct vm_limits limits;
	struct vm_migration migration;
	struct vm_gate gate;
};

/* Why a vCPU is held; struct hold's @why. */
enum hold_why {
	HOLD_NOT,
	HOLD_ACCESS,	/* RIP is at the instruction that was judged */
	HOLD_INIT,	/* an INIT happened, and the vCPU has not run since */
	HOLD_DEADLINE,	/* it did not arm in time, or armed without its floor */
	HOLD_DETECTED,	/* a poll found a violation */
};

/**
 * struct hold - why a vCPU is held, and the operator's answer
 * @why: enum hold_why; written under the VM lock, by the vCPU's thread alone
 * @answer: the answer, or REGPIN_ACTION_MAX while there is none; written under the VM lock
 * @event: the event that was reported when the vCPU was held
 * @ticket: after HOLD_ACCESS: the answer to the access that the vCPU now executes again;
 *	used once. Otherwise REGPIN_ACTION_MAX. The vCPU's thread owns it
 * @access: the event of the access that @ticket is for
 */
struct hold {
	_Atomic uint32_t why;
	_Atomic uint32_t answer;
	struct regpin_event event;
	uint32_t ticket;
	struct regpin_event access;
};

/**
 * struct vcpu_wake - how a vCPU is made to look at itself before it enters
 * @attention: the vCPU must look at itself, that is, compare its state with its VM's,
 *	before it enters; any thread sets it
 * @inside: the vCPU may be in KVM_RUN, or in an exit that is being judged
 * @ticked: its control registers are due to be polled; set by its thread, by the signal
 *	handler there, and by get_first_protections()
 * @epoch: the VM's @epoch when the vCPU last looked at itself
 * @tick_ms: see regpin_vcpu_tick_ms()
 * @runner: the thread that runs the vCPU, for kicks; negative: that thread must unblock
 *	the signal before it enters again
 * @thread: the thread that entered the vCPU last, or armed it. When that thread has
 *	ended, the vCPU counts as unplugged
 *
 * The vCPU's thread writes all members, unless another writer is named; any thread may
 * read the atomic ones.
 */
struct vcpu_wake {
	_Atomic bool attention, inside, ticked;
	_Atomic uint32_t epoch;
	unsigned int tick_ms;
	_Atomic int runner, thread;
};

/**
 * struct vcpu_detection - registers as they were last seen, for polls and for audits
 * @polled_at: the vCPU's run time when its control registers were last polled, in ns;
 *	0: not since it was armed
 * @seen: the values that were read then
 * @to_restore: the bits in which @seen violates a rule: the answer `gp` to HOLD_DETECTED
 *	inverts them
 * @efer: EFER without LMA, as it was last read or written
 * @efer_swaps: the VM's @swaps at that time
 * @efer_filtered: each write of EFER by the guest since then is judged by the policy
 * @audited_swaps: the VM's @swaps as of the policy with which the vCPU was last compared
 *
 * The vCPU's thread owns it.
 */
struct vcpu_detection {
	_Atomic uint64_t polled_at;
	uint64_t seen[NR_CRS], to_restore[NR_CRS];
	uint64_t efer;
	uint32_t efer_swaps;
	uint32_t audited_swaps;
	bool efer_filtered;
};

/**
 * struct vcpu_deadline - the time that a vCPU has to arm, or to finish its set-up
 * @waived: the missed deadline was reported and accepted
 * @since: the vCPU's run time when the time began, in ns; 0: it has not begun
 *
 * The vCPU's thread owns it.
 */
struct vcpu_deadline {
	bool waived;
	uint64_t since;
};

/**
 * struct vcpu_end - why a vCPU does not enter again before a reset
 * @reports_stop: the exit of this vCPU reports to the VMM that the VM is stopped; written
 *	under the VM lock
 * @in_shutdown: the vCPU had a shutdown, and no reset since; the vCPU's thread owns it
 */
struct vcpu_end {
	bool reports_stop, in_shutdown;
};

/**
 * struct vcpu_migration - what the VMM has read and written of a vCPU; see migration.c
 * @read: fingerprint of the struct kvm_regs and the TSC that the VMM has read; 0: it has
 *	read none since the vCPU ran
 * @written: fingerprint of those that the VMM last wrote; 0: it has written none
 */
struct vcpu_migration {
	struct state_print read, written;
};

/**
 * struct vcpu_life - whether a vCPU's pins hold, and how far its kernel's set-up is
 * @phase: its phase, see phase.h; written by lifecycle_step() alone
 * @vm_life: the life of the VM (struct vm_gate's @life) in which its pins were set
 * @in_setup: its pins hold, and its kernel has set LSTAR but not finished its set-up
 * @settled_uniform: its values are the VM's uniform values
 * @look_again: its registers could not be read, in SMM or in a nested guest, so it must
 *	look at itself once more
 * @set_up_values: its registers when its set-up was finished
 *
 * The vCPU's thread writes the members, or the thread that writes its registers while it
 * does not run; any thread may read the atomic ones.
 */
struct vcpu_life {
	_Atomic uint8_t phase;
	_Atomic uint32_t vm_life;
	bool in_setup, settled_uniform, look_again;
	struct snapshot set_up_values;
};

/**
 * struct vcpu_writes - what the VMM has written since the last KVM_RUN
 * @state: enum vmm_write, see vmm_write.h; written by lifecycle_step_vmm() alone
 * @before: the registers before the VMM's write; the thread that writes owns it
 */
struct vcpu_writes {
	_Atomic uint8_t state;
	struct snapshot before;
};

/**
 * struct regpin_vcpu - a vCPU under its VM's policy
 * @vm: its VM, borrowed
 * @io: its file and its run page
 * @id: its id, as given to KVM_CREATE_VCPU
 * @guest: what its CPUID offers; the members that policies ask for are written under the
 *	VM lock
 * @life: whether its pins hold
 * @wake: how it is made to look at itself
 * @detect: registers as they were last seen
 * @deadline: the time that it has to arm
 * @end: why it does not enter again
 * @writes: what the VMM has written
 * @migration: the state that the VMM has taken out or loaded
 * @reach: whether kicks reach it
 * @next: next vCPU in the VM's list
 * @hold: whether it waits for an answer
 */
struct regpin_vcpu {
	struct regpin_vm *vm;
	struct vcpu_io io;
	uint32_t id;
	struct guest guest;
	struct vcpu_life life;
	struct vcpu_wake wake;
	struct vcpu_detection detect;
	struct vcpu_deadline deadline;
	struct vcpu_end end;
	struct vcpu_writes writes;
	struct vcpu_migration migration;
	struct reach reach;
	_Atomic(struct regpin_vcpu *) next;
	struct hold hold;
};

/* Makes the vCPU look at itself before it enters again. Any thread may call it. */
static inline void vcpu_alert(struct regpin_vcpu *vcpu)
{
	atomic_store(&vcpu->wake.attention, true);
}

/* Do the vCPU's pins hold at this moment? */
static inline bool vcpu_is_pinned(const struct regpin_vcpu *vcpu)
{
	const struct vm_gate *gate = &vcpu->vm->gate;

	return phase_pinned(vcpu->life.phase) &&
	       vcpu->life.vm_life == atomic_load(&gate->life) &&
	       atomic_load(&gate->state) == GATE_OPEN;
}

#endif
