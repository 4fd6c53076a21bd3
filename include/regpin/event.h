/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event record: a verdict or a change of state, and its enumerations. A VMM
 * includes regpin.h, which has the functions and includes this file.
 */
#ifndef REGPIN_EVENT_H
#define REGPIN_EVENT_H

#include <linux/types.h>

/**
 * enum regpin_kind - the kinds of registers that a rule or an access can name
 * @REGPIN_MSR: a model-specific register, by index (EFER is one of them)
 * @REGPIN_CR0: control register 0
 * @REGPIN_CR4: control register 4
 * @REGPIN_XCR0: extended control register 0
 * @REGPIN_KIND_MAX: number of kinds
 */
enum regpin_kind {
	REGPIN_MSR,
	REGPIN_CR0,
	REGPIN_CR4,
	REGPIN_XCR0,
	REGPIN_KIND_MAX
};

/**
 * enum regpin_action - what is done about an access, mildest first
 * @REGPIN_ALLOW: the access happens as without regpin
 * @REGPIN_REPORT: the access happens, and an event reports it
 * @REGPIN_MASK: the write happens, except that the violated bits keep their values
 * @REGPIN_DROP: the instruction completes without effect; a read returns 0
 * @REGPIN_GP: the guest gets #GP(0)
 * @REGPIN_PAUSE: the vCPU is held before the instruction until regpin_vcpu_answer()
 *	answers it
 * @REGPIN_STOP: the VM must not continue; its VMM should end it, as after a crash
 * @REGPIN_ACTION_MAX: number of actions
 *
 * If several rules apply to one access, the action that is last in this order decides.
 */
enum regpin_action {
	REGPIN_ALLOW,
	REGPIN_REPORT,
	REGPIN_MASK,
	REGPIN_DROP,
	REGPIN_GP,
	REGPIN_PAUSE,
	REGPIN_STOP,
	REGPIN_ACTION_MAX
};

/**
 * enum regpin_event_type - what an event records
 * @REGPIN_EVENT_VIOLATION: a guest's access violated a rule
 * @REGPIN_EVENT_VMM_WRITE: the VMM lowered a pin by a write that is part of neither a
 *	reset nor a load
 * @REGPIN_EVENT_ARMED: a vCPU's pins hold from now on; @detail is an enum
 *	regpin_cause
 * @REGPIN_EVENT_RESET: the VMM reset an armed vCPU, which ended its pins
 * @REGPIN_EVENT_ATTACHED: a VM got its filter
 * @REGPIN_EVENT_REFUSED: the VM must not run; @detail is an enum regpin_refusal. With
 *	REGPIN_REFUSED_FILTER, @index is the first MSR and @value the number of MSRs of
 *	the first range that did not fit, @bits is 1 for reads, 2 for writes, 3 for
 *	both, and @new_value is the number of further ranges that did not fit
 * @REGPIN_EVENT_FAILED: a call to the host, mostly an ioctl of KVM, failed, and the
 *	access was denied because of that; @detail is the errno
 * @REGPIN_EVENT_DISARMED: a vCPU's pins no longer hold; @detail is an enum regpin_cause
 * @REGPIN_EVENT_DETECTED: a register was found changed in a way that violates a
 *	rule, on a host that can't stop the change; @detail is the time since the last
 *	poll, in microseconds of the vCPU's run time, and @action is what was
 *	done about it (REGPIN_MASK: the bits were restored). If @detail is
 *	REGPIN_FOUND_BY_POLICY, the policy has changed: the register had this value
 *	already, and the new policy would not have allowed it; @old_value is the value
 *	at the end of the vCPU's syscall set-up
 * @REGPIN_EVENT_INIT: an armed vCPU got an INIT and restarts; @old_value is CR4,
 *	@new_value CR0 and @value EFER, all before the INIT
 * @REGPIN_EVENT_DEADLINE: a vCPU of an armed VM runs with paging and was not armed in
 *	time; @detail is the deadline, in milliseconds
 * @REGPIN_EVENT_ANSWERED: a held vCPU was answered; @action is the answer
 * @REGPIN_EVENT_POLICY: a new policy holds on all vCPUs
 * @REGPIN_EVENT_SHUTDOWN: an armed vCPU ended in a shutdown: a triple fault, or an RSM
 *	that KVM's CR filter refused; @detail is 1 if the vCPU was in SMM. It does not
 *	enter again before the VMM resets it
 * @REGPIN_EVENT_SETTLED: values that are normally settled at the end of the syscall
 *	set-up were settled in another way. If @detail is 0, the guest settled PAT by
 *	writing @value; PAT had had its reset value until then. Otherwise the vCPU has
 *	set LSTAR but not SFMASK for @detail milliseconds of its run time: its set-up
 *	counts as finished, and its registers are pinned as they are
 * @REGPIN_EVENT_UNREACHED: a vCPU can't be made to leave KVM_RUN, or can again be made
 *	to leave it; with REGPIN_NO_VCPU, that holds for each vCPU of the VM. @detail is
 *	an enum regpin_unreached, @index the number of the signal. The event comes from
 *	a caller of the library, such as the preloaded shim: the library itself sends no
 *	signals
 * @REGPIN_EVENT_TOLERATED: the VM has a feature for which a policy that enforces would
 *	refuse it; the VM runs, because this policy only reports. @detail is an enum
 *	regpin_refusal. Reported once for each VM and reason
 * @REGPIN_EVENT_TYPE_MAX: number of types
 */
enum regpin_event_type {
	REGPIN_EVENT_VIOLATION,
	REGPIN_EVENT_VMM_WRITE,
	REGPIN_EVENT_ARMED,
	REGPIN_EVENT_RESET,
	REGPIN_EVENT_ATTACHED,
	REGPIN_EVENT_REFUSED,
	REGPIN_EVENT_FAILED,
	REGPIN_EVENT_DISARMED,
	REGPIN_EVENT_DETECTED,
	REGPIN_EVENT_INIT,
	REGPIN_EVENT_DEADLINE,
	REGPIN_EVENT_ANSWERED,
	REGPIN_EVENT_POLICY,
	REGPIN_EVENT_SHUTDOWN,
	REGPIN_EVENT_SETTLED,
	REGPIN_EVENT_UNREACHED,
	REGPIN_EVENT_TOLERATED,
	REGPIN_EVENT_TYPE_MAX
};

/**
 * enum regpin_unreached - why a vCPU can't be made to leave KVM_RUN
 * @REGPIN_REACHED: it can be made to leave
 * @REGPIN_SIGNAL_TAKEN: the VMM has installed a handler of its own for the signal
 * @REGPIN_SIGNAL_IGNORED: the VMM ignores the signal
 * @REGPIN_SIGNAL_BLOCKED: the vCPU's thread blocks it
 * @REGPIN_NOT_POLLED: the vCPU has run for a long time without a poll
 * @REGPIN_UNREACHED_MAX: number of reasons
 */
enum regpin_unreached {
	REGPIN_REACHED,
	REGPIN_SIGNAL_TAKEN,
	REGPIN_SIGNAL_IGNORED,
	REGPIN_SIGNAL_BLOCKED,
	REGPIN_NOT_POLLED,
	REGPIN_UNREACHED_MAX
};

/**
 * enum regpin_cause - why a vCPU was armed or disarmed, in @detail of an event
 * @REGPIN_BY_START: the policy arms from the first instruction
 * @REGPIN_BY_SYSCALL_ENTRY: the guest set its LSTAR
 * @REGPIN_BY_REQUEST: the guest asked for its pins
 * @REGPIN_BY_OPERATOR: regpin_vm_arm() or regpin_vm_disarm()
 * @REGPIN_BY_LOAD: the VMM loaded the state of a running system
 * @REGPIN_BY_WINDOW: a window was opened, or has ended
 * @REGPIN_BY_INIT: the vCPU got an INIT; from then on it is subject to the floor
 * @REGPIN_CAUSE_MAX: number of causes
 */
enum regpin_cause {
	REGPIN_BY_START,
	REGPIN_BY_SYSCALL_ENTRY,
	REGPIN_BY_REQUEST,
	REGPIN_BY_OPERATOR,
	REGPIN_BY_LOAD,
	REGPIN_BY_WINDOW,
	REGPIN_BY_INIT,
	REGPIN_CAUSE_MAX
};

/**
 * enum regpin_refusal - why a VM must not run, in @detail of an event
 * @REGPIN_REFUSED_SVM: the guest's CPUID offers SVM, and the policy does not
 *	accept nested virtualisation
 * @REGPIN_REFUSED_VMX: the same for VMX
 * @REGPIN_REFUSED_SMM: the VM has memory for SMM, and the policy does not
 *	accept that
 * @REGPIN_REFUSED_FRED: the guest's CPUID offers FRED; this version can't detect when a
 *	FRED kernel has set up its entry points
 * @REGPIN_REFUSED_FILTER: the policy's filter and the VMM's own together need more than
 *	KVM's 16 ranges, or KVM refused them
 * @REGPIN_REFUSED_HOST: this KVM lacks what the policy needs
 * @REGPIN_REFUSED_FD: the VMM used a KVM fd whose VM is not attached to regpin
 * @REGPIN_REFUSED_CPUID: the CPUIDs of two vCPUs differ, so that different rules of the
 *	policy would hold for them
 * @REGPIN_REFUSED_CONFIDENTIAL: the VM is confidential (SEV, SEV-ES, SEV-SNP, TDX), so
 *	that the host cannot see its registers or memory, or its type is not known
 * @REGPIN_REFUSED_VMLOAD: on this AMD host, VMLOAD in a guest loads registers without
 *	passing a filter. regpin_vm_attach() refuses rules that enforce something on
 *	these registers; this reason is for rules that only report, and comes with
 *	REGPIN_EVENT_TOLERATED
 * @REGPIN_REFUSED_MAX: number of reasons
 */
enum regpin_refusal {
	REGPIN_REFUSED_SVM,
	REGPIN_REFUSED_VMX,
	REGPIN_REFUSED_SMM,
	REGPIN_REFUSED_FRED,
	REGPIN_REFUSED_FILTER,
	REGPIN_REFUSED_HOST,
	REGPIN_REFUSED_FD,
	REGPIN_REFUSED_CPUID,
	REGPIN_REFUSED_CONFIDENTIAL,
	REGPIN_REFUSED_VMLOAD,
	REGPIN_REFUSED_MAX
};

/* @detail of REGPIN_EVENT_DETECTED if a new policy, and not a poll, found the value. */
#define REGPIN_FOUND_BY_POLICY	0xffffffffu

/*
 * @unread of an event: the values that could not be read, because KVM does not have the
 * MSR or because the VMM decides on the access.
 */
#define REGPIN_UNREAD_OLD	(1 << 0)	/* @old_value */
#define REGPIN_UNREAD_VALUE	(1 << 1)	/* @value */
#define REGPIN_UNREAD_NEW	(1 << 2)	/* @new_value, of REGPIN_EVENT_DETECTED */

#define REGPIN_NO_VCPU	0xffffffffu
#define REGPIN_NO_RULE	0xffffffffu

/**
 * struct regpin_event - the record of a verdict or of a life-cycle change
 * @time: CLOCK_REALTIME in nanoseconds
 * @old_value: the register before the access
 * @new_value: the value that the guest (or the VMM) proposed
 * @value: what the register holds after the access, or what the read returned
 * @bits: the bits of @new_value that violated the rule; all ones for rules on
 *	a whole register
 * @rip: linear address of the instruction (CS base + RIP), violations only
 * @type: enum regpin_event_type
 * @vm: number of the VM, from @vm of struct regpin_vm_options
 * @vcpu: the id given to KVM_CREATE_VCPU, or REGPIN_NO_VCPU
 * @index: MSR index if @kind is REGPIN_MSR, otherwise 0
 * @rule: number, in the policy, of the rule that was violated, or REGPIN_NO_RULE. If the
 *	access happens or is held, there is an event for each violated rule that does not
 *	stop it; if the access is refused, there is only one, for the rule that decided
 * @detail: see the event's type
 * @policy: number of the policy that @rule belongs to, or that was in force; see
 *	regpin_policy_set_number()
 * @kind: enum regpin_kind
 * @action: enum regpin_action, the verdict
 * @write: 1 for a write, 0 for a read
 * @cpl: privilege level of the guest at @rip, 0 to 3
 * @has_rip: 1 if @rip and @cpl are valid
 * @unread: REGPIN_UNREAD_*: the values that are not known; these are 0
 * @pad: 0; members that a later version adds take its place
 *
 * 88 bytes, the same layout on every host, because events cross processes through
 * shared memory. The size and the members do not change under one soname. The enumerations
 * above may get further values before their _MAX, so a VMM must expect a @type, a @detail
 * and an @action that its header does not have.
 */
struct regpin_event {
	__u64 time;
	__u64 old_value;
	__u64 new_value;
	__u64 value;
	__u64 bits;
	__u64 rip;
	__u32 type;
	__u32 vm;
	__u32 vcpu;
	__u32 index;
	__u32 rule;
	__u32 detail;
	__u32 policy;
	__u8 kind;
	__u8 action;
	__u8 write;
	__u8 cpl;
	__u8 has_rip;
	__u8 unread;
	__u8 pad[6];
};

#endif
