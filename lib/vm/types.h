/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM and its vCPUs under a policy: what they consist of. The functions on them stand in
 * this folder's other headers, each in the one that is named as its file.
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
 * @known: the first armed vCPU has finished its syscall set-up
 * @value: what it left there
 */
struct uniform {
	_Atomic bool known;
	_Atomic uint64_t value;
};

/* Memory slots that are followed: VMMs use the lowest numbers, QEMU some dozens. */
#define NR_SLOTS	512

/**
 * struct in_force - a policy's rules that hold for a guest, where not all do
 * @policy: of these rules
 * @numbers: by which numbers the whole policy knows them
 * @of: the whole policy, NULL if nothing is here that could be used again
 * @conditions: which of its conditions do, see whens_match()
 */
struct in_force {
	struct regpin_policy policy;
	uint16_t numbers[POLICY_MAX_RULES];
	const struct regpin_policy *of;
	uint64_t conditions;
};

/* How far the first armed vCPU is with the VM's values; struct vm_values' @settled. */
enum { UNIFORM_OPEN, UNIFORM_SETTLING, UNIFORM_SETTLED };

/**
 * struct vm_gate - may vCPUs arm; see gate.h
 * @state: enum gate; set by lifecycle_step_gate(), and under the VM's lock as the last vCPU goes
 * @life: counts windows and disarmings: pins of an earlier one are void
 * @cause: enum regpin_cause: what opened the gate last
 * @once: the window ends with the first LSTAR that the guest sets
 * @kernel_seen: a kernel has set its entry point while the gate was closed
 *
 * Any thread reads it.
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
 * @now: what is in force: @whole, or the rules of it that hold for the guest; another
 *	one may take its place while the VM runs. Any thread reads it: a vCPU's own
 *	exits as they are, others between vm_get_policy() and vm_put_policy()
 * @whole: the caller's, borrowed
 * @previous: the one before, while some vCPU may still judge by it, else NULL
 * @conditions: which of its conditions hold
 * @rooms: room for @now and for the one before, NULL where not needed
 * @number: that of @now, for threads that may not read @now itself
 * @swaps: how often it was replaced: for seeing that it was, by whatever number
 * @users: threads that read @now outside of a vCPU's run
 *
 * Written under the VM's lock, @users without it.
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
 * struct vm_filters - what KVM was given for a VM
 * @msrs_wanted: the policy needs the MSR filter; else no ioctl is made for it
 * @crs_wanted: and the CR filter
 * @crs_set: KVM's CR filter is in place
 * @crs_ever_set: it was so once: KVM may have an exit of it on its way
 * @hypercalls_forwarded: hypercall 13 comes to us, and not because the VMM wants it
 * @refused: KVM has refused the filters of the policy in force: a reset does not lift
 *	the VM's @stopped before it takes them
 * @vmm_mask: the VMM's own KVM_MSR_EXIT_REASON_* mask
 * @reasons: those that KVM was given for a policy's sake
 * @vmm: a copy of the VMM's own filter, NULL if it has none
 * @copies: where @vmm is; a new one goes to the other place, so that vCPUs that look at
 *	the old one meanwhile see it whole
 * @merged: what KVM was given last
 * @overflow: what the last filter or policy that did not fit had no room for
 *
 * Written under the VM's lock. Exits read the atomic ones and what @vmm is at.
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
 * struct vm_values - what the first armed vCPU has, by which the others are measured
 * @settled: how far that vCPU is with @uniform: UNIFORM_OPEN and so on. The thread that
 *	makes it UNIFORM_SETTLING writes @uniform, alone, and then UNIFORM_SETTLED
 * @uniform: settled values, by replay_slot()
 * @first: that vCPU, NULL once it is gone; under the VM's lock
 * @first_query: how often @first was asked for its protections
 * @first_reply: the last query that it has answered
 * @first_protections: all that @first, and the vCPUs that took its place, have been seen
 *	to have since @uniform was last forgotten: it only grows; under the VM's lock
 * @ended_by_time: its set-up was ended by time: its kernel writes no SFMASK
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
 * struct vm_limits - what a VM has that not every policy accepts
 * @smm: memory for SMM
 * @own_pat: the guests of its guests have PATs of their own
 * @tolerated: what it would be refused for by a policy that enforces, and has been
 *	reported: one bit for each enum regpin_refusal
 */
struct vm_limits {
	_Atomic bool smm, own_pat;
	_Atomic uint32_t tolerated;
};

/**
 * struct vm_migration - what is known of states taken out and loaded; see migration.c
 * @slots: the sizes of the VM's memory slots, and whether KVM logs them
 * @seen: where it is shown what was taken out and loaded, or NULL
 *
 * Under the VM's lock.
 */
struct vm_migration {
	uint64_t slots[NR_SLOTS];
	struct state_seen *seen;
};

/**
 * struct regpin_vm - a VM under a policy
 * @fd: the VM, borrowed
 * @options: the caller's, completed with defaults
 * @host: what this KVM can do
 * @older: the caller's, for a list of its VMs
 * @lock: taken while the VMM's filter or mask changes, and for the list; on a vCPU's
 *	path only where it arms, disarms, comes up or is compared with a new policy
 * @vcpus: all of them, by their @next; changed under @lock, and each is whole before it
 *	is there, so that it takes no lock to read the list where none can go
 * @epoch: counts what every vCPU must look at before it enters again
 * @polled: the policy has rules on control registers that can only be looked at
 * @stopped: the VM must not run on
 * @unreached: enum regpin_unreached, of all its vCPUs
 * @gate, @policies, @filters, @values, @limits, @migration: each with its own rule of locking
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
	HOLD_ACCESS,	/* it stands before an instruction */
	HOLD_INIT,	/* it has had an INIT, and not run since */
	HOLD_DEADLINE,	/* it has not armed in time */
	HOLD_DETECTED,	/* its registers were found changed */
};

/**
 * struct hold - a vCPU that waits for an answer, or has one
 * @why: enum hold_why; under the VM's lock
 * @answer: REGPIN_ACTION_MAX while there is none; likewise
 * @event: what was reported of it
 * @ticket: the answer to an access that has yet to come again, or
 *	REGPIN_ACTION_MAX; good for once
 * @access: what was reported of that one
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
 * @attention: it must; any thread sets it
 * @inside: it may be in KVM_RUN, or in an exit that is being judged
 * @epoch: how far it has looked, of the VM's
 * @ticked: its run time has come to where it must be looked at
 * @tick_ms: see regpin_vcpu_tick_ms()
 * @runner: the thread that runs it, for kicks; negative: it must unblock the signal
 *	before it enters again
 * @thread: that entered it last, or armed it: its end is taken for the vCPU's
 *
 * Its own thread writes all but @attention; any thread reads the atomic ones.
 */
struct vcpu_wake {
	_Atomic bool attention, inside, ticked;
	_Atomic uint32_t epoch;
	unsigned int tick_ms;
	_Atomic int runner, thread;
};

/**
 * struct vcpu_detection - registers as they were last seen, where KVM can't filter them
 * @polled_at: the vCPU's run time when its control registers were last looked at
 * @seen: what they were then
 * @to_restore: bits of them that are wrong, if the answer to HOLD_DETECTED says so
 * @efer: EFER without LMA, as it was last seen or written
 * @efer_swaps: the VM's @swaps then
 * @efer_filtered: and the policy was shown each of the guest's writes since
 * @audited_swaps: the VM's @swaps as of the policy that it was compared with last
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
 * struct vcpu_deadline - a vCPU that does not come up in time; its thread owns it
 * @waived: that it has not armed in time has been reported, and allowed
 * @since: its run time when it was first seen not set up, 0: not yet
 */
struct vcpu_deadline {
	bool waived;
	uint64_t since;
};

/**
 * struct vcpu_end - why a vCPU does not run on
 * @reports_stop: it is the one whose exit reports that the VM is stopped; under the VM's lock
 * @in_shutdown: it has met a shutdown, and was not reset since; its thread's
 */
struct vcpu_end {
	bool reports_stop, in_shutdown;
};

/**
 * struct vcpu_migration - what the VMM has read and written of a vCPU; see migration.c
 * @read: its struct kvm_regs and its TSC as the VMM has read them; 0: not since it ran
 * @written: likewise as the VMM last wrote them; 0: never
 */
struct vcpu_migration {
	struct state_print read, written;
};

/**
 * struct vcpu_life - whether a vCPU's pins hold, and how far its kernel's set-up is
 * @phase: where it is in its life, see phase.h; set by lifecycle_step() alone
 * @vm_life: of which of the VM's lives its pins are
 * @in_setup: it has begun its set-up, by setting LSTAR, and its pins hold
 * @settled_uniform: its values are the VM's uniform ones
 * @look_again: what it is could not be seen yet, in SMM or a nested guest
 * @set_up_values: the registers when its syscall set-up was finished
 *
 * Its own thread writes it, or the one that holds it stopped; any thread reads the atomic
 * ones.
 */
struct vcpu_life {
	_Atomic uint8_t phase;
	_Atomic uint32_t vm_life;
	bool in_setup, settled_uniform, look_again;
	struct snapshot set_up_values;
};

/**
 * struct vcpu_writes - what the VMM has written since the last KVM_RUN
 * @state: enum vmm_write, see vmm_write.h; set by lifecycle_step_vmm() alone
 * @before: the registers before the VMM's write; the writer's
 */
struct vcpu_writes {
	_Atomic uint8_t state;
	struct snapshot before;
};

/**
 * struct regpin_vcpu - a vCPU under its VM's policy
 * @vm: borrowed
 * @io: its file and its run page
 * @id: as given to KVM_CREATE_VCPU
 * @guest: what its CPUID offers
 * @life, @wake, @detect, @deadline, @end, @writes, @migration: each with its own owner
 * @reach: whether kicks reach it
 * @next: in the VM's list
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

/* The vCPU looks at itself before it enters again. Any thread, any time. */
static inline void vcpu_alert(struct regpin_vcpu *vcpu)
{
	atomic_store(&vcpu->wake.attention, true);
}

/* Do its pins hold at this moment? */
static inline bool vcpu_is_pinned(const struct regpin_vcpu *vcpu)
{
	return phase_pinned(vcpu->life.phase) &&
	       vcpu->life.vm_life == atomic_load(&vcpu->vm->gate.life) &&
	       atomic_load(&vcpu->vm->gate.state) == GATE_OPEN;
}

#endif
