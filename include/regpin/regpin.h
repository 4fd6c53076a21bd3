/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libregpin: decide in userspace what a KVM guest may do with its registers.
 *
 * A VMM compiles a policy to a blob (`regpin compile`), attaches it to its VM
 * and vCPU fds, and shows every KVM_RUN exit to regpin_vcpu_exit().
 *
 * Errors are 0 or a negative errno of the documented set. Results are written
 * only on success. The library never prints, never exits and starts no thread.
 * A vCPU may only be used from the thread that runs it, which may become another one
 * between two calls of regpin_vcpu_enter(); a VM's functions may be called from any
 * thread.
 */
#ifndef REGPIN_REGPIN_H
#define REGPIN_REGPIN_H

#include <linux/types.h>
#include <stddef.h>

#include "regpin/event.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct kvm_run;
struct kvm_cpuid2;
struct kvm_msr_filter;
struct regpin_policy;
struct regpin_vm;
struct regpin_vcpu;

/**
 * struct regpin_vm_options - how a VM is attached
 * @size: sizeof(struct regpin_vm_options), so that the struct can grow
 * @vm: number that events carry for this VM
 * @event: called with each event, on the thread that met it; must not block.
 *	May be NULL. The event is only valid during the call.
 * @kick: makes a vCPU leave KVM_RUN with EINTR soon, as the VMM does it for reasons
 *	of its own: by a signal and @immediate_exit; then regpin_vcpu_enter() is due.
 *	Called from any thread; must not block. May be NULL: then what the operator wants, and what has to be looked at
 *	on a vCPU, waits for its next exit.
 * @context: first argument of @event and @kick
 */
struct regpin_vm_options {
	__u32 size;
	__u32 vm;
	void (*event)(void *context, const struct regpin_event *event);
	void (*kick)(void *context, struct regpin_vcpu *vcpu);
	void *context;
};

/**
 * regpin_policy_open() - load a compiled policy
 * @fd: a file or memfd that holds a blob, read from its start; stays open
 * @ret: the policy, owned by the caller; it must outlive every VM that uses it
 *
 * Returns: 0, -EINVAL if the blob is damaged or of another version, -EFBIG if
 * it is larger than any blob can be, -ENOMEM, or read(2)'s error.
 */
int regpin_policy_open(int fd, struct regpin_policy **ret);

/**
 * regpin_policy_load() - load a compiled policy from memory
 * @blob: the blob; copied, so it may be freed afterwards
 * @size: its size in bytes
 * @ret: as for regpin_policy_open()
 *
 * Returns: 0, -EINVAL, -EFBIG or -ENOMEM, as regpin_policy_open().
 */
int regpin_policy_load(const void *blob, size_t size,
		       struct regpin_policy **ret);

/**
 * regpin_policy_free() - give a policy back
 * @policy: a policy that no VM uses any more, or NULL
 */
void regpin_policy_free(struct regpin_policy *policy);

/**
 * regpin_policy_set_number() - the number by which events name a policy
 * @policy: a policy that no VM uses yet
 * @number: any number of the caller's, such as 1 for the first policy, 2 for the next
 *
 * Each event carries the number of the policy that its rule belongs to. A caller that
 * gives no numbers gets the one in the blob, which is 0 if `regpin compile` wrote it.
 */
void regpin_policy_set_number(struct regpin_policy *policy, __u32 number);

/**
 * regpin_policy_where() - where a rule was written
 * @policy: the policy
 * @rule: the rule's number, as in an event
 * @line: the line, from 1
 * @type: the rule's name ("sticky"), a constant string
 *
 * Returns: the name of the policy's file, owned by @policy, or NULL if there
 * is no such rule; then @line and @type are not written.
 */
const char *regpin_policy_where(const struct regpin_policy *policy, __u32 rule,
				__u32 *line, const char **type);

/**
 * regpin_register_name() - the SDM/APM name of a register
 * @kind: enum regpin_kind
 * @index: the MSR's index
 *
 * Returns: a constant string, or NULL if the register is not in the table. Of a family
 * it is the family's name, as "IA32_PMC"; if the number of the member stands within
 * it, there is a # in its place, as in "IA32_MC#_CTL".
 */
const char *regpin_register_name(unsigned int kind, __u32 index);

/**
 * regpin_refusal_text() - a sentence on why a VM was refused, and what to do
 * @reason: enum regpin_refusal
 *
 * Returns: a constant string.
 */
const char *regpin_refusal_text(unsigned int reason);

/**
 * regpin_tolerated_text() - sentences on what a VM has that a policy only tolerates
 * @reason: enum regpin_refusal, of a REGPIN_EVENT_TOLERATED
 *
 * Returns: a constant string.
 */
const char *regpin_tolerated_text(unsigned int reason);

/**
 * regpin_check_vm_type() - may a VM be of this type?
 * @type: the argument of KVM_CREATE_VM, before KVM is asked
 *
 * The default type may, and KVM_X86_SW_PROTECTED_VM, whose registers are KVM's. The
 * others are confidential VMs (KVM_X86_SEV_VM, KVM_X86_SEV_ES_VM, KVM_X86_SNP_VM,
 * KVM_X86_TDX_VM), whose registers or memory are not the host's to see, or not known.
 *
 * Returns: 0, or -EPERM; then the VMM should end. regpin_refusal_text() has the reason
 * for REGPIN_REFUSED_CONFIDENTIAL.
 */
int regpin_check_vm_type(__u64 type);

/**
 * regpin_vm_attach() - put a VM under a policy
 * @policy: the policy; must outlive the VM
 * @kvm_fd: /dev/kvm; only used during the call
 * @vm_fd: the VM, before its first vCPU is created; stays the caller's
 * @options: may be NULL
 * @ret: the VM, to be given back with regpin_vm_detach()
 *
 * Enables KVM_CAP_X86_USER_SPACE_MSR with KVM_MSR_EXIT_REASON_FILTER, and with
 * KVM_MSR_EXIT_REASON_UNKNOWN and KVM_MSR_EXIT_REASON_INVAL if the policy speaks of
 * those, and installs the policy's MSR filter. Rules on control registers need a KVM with
 * KVM_CAP_X86_CR_FILTER (regpin's series); that filter is installed by the first
 * vCPU that arms, so that firmware is free. If the policy lets the guest ask for its
 * pins, hypercall 13 is enabled where KVM can forward it.
 *
 * Returns: 0, -EINVAL on a wrong @options->size, -EOPNOTSUPP if this KVM lacks
 * what a rule that is not optional needs, -EPERM if the VM's registers are protected
 * from the host (KVM tells since Linux 6.11), -ENOMEM, or the ioctls' errors.
 * (KVM: Documentation/virt/kvm/api.rst, "KVM_X86_SET_MSR_FILTER".)
 */
int regpin_vm_attach(const struct regpin_policy *policy, int kvm_fd, int vm_fd,
		     const struct regpin_vm_options *options,
		     struct regpin_vm **ret);

/**
 * regpin_vm_detach() - forget a VM
 * @vm: a VM whose vCPUs are all detached, or NULL. KVM's filter stays as it is.
 */
void regpin_vm_detach(struct regpin_vm *vm);

/**
 * regpin_vm_set_msr_filter() - the VMM's own KVM_X86_SET_MSR_FILTER
 * @vm: the VM
 * @filter: what the VMM would have given to the ioctl; copied
 *
 * Folds the VMM's filter into the policy's and installs both. An access that
 * the VMM's filter denies and no rule names stays the VMM's.
 *
 * Returns: 0, or what KVM would have returned for @filter alone (-EINVAL,
 * -EFAULT), or -E2BIG if both together need more than 16 ranges: regpin_vm_overflow()
 * tells for which MSRs there was none left.
 */
int regpin_vm_set_msr_filter(struct regpin_vm *vm,
			     const struct kvm_msr_filter *filter);

/**
 * regpin_vm_overflow() - which MSRs KVM had no room for
 * @vm: the VM, after -E2BIG of regpin_vm_set_msr_filter() or regpin_vm_set_policy().
 *	Any thread
 * @text: becomes a sentence that names them, by name or index, and says what to do;
 *	where there is no room for all of them it says how many more there are. 2048
 *	bytes hold all that there can be
 * @size: its size
 *
 * Returns: 0, or -ENOENT if everything has fitted so far; then @text is not written.
 */
int regpin_vm_overflow(struct regpin_vm *vm, char *text, size_t size);

/**
 * regpin_vm_set_user_msr() - the VMM's own KVM_CAP_X86_USER_SPACE_MSR
 * @vm: the VM
 * @mask: the VMM's KVM_MSR_EXIT_REASON_* mask
 *
 * The policy's reasons are added. An exit of a reason that is not in @mask is never
 * the VMM's: the guest gets what KVM would have given it, a #GP, or what the policy
 * says.
 *
 * Returns: 0, or KVM's error (-EINVAL on an unknown reason).
 */
int regpin_vm_set_user_msr(struct regpin_vm *vm, __u64 mask);

/**
 * regpin_vm_set_hypercalls() - the VMM's own KVM_CAP_EXIT_HYPERCALL
 * @vm: the VM
 * @mask: the VMM's mask of hypercalls
 *
 * Returns: 0, or KVM's error (-EINVAL on one that it doesn't forward).
 */
int regpin_vm_set_hypercalls(struct regpin_vm *vm, __u64 mask);

/**
 * regpin_vm_check_encrypt_op() - may the VMM issue this KVM_MEMORY_ENCRYPT_OP?
 * @vm: the VM
 * @cmd: the ioctl's argument; only whether it is NULL matters, which is a question
 *	to KVM and not a command
 *
 * KVM_SEV_INIT, KVM_SEV_ES_INIT, KVM_SEV_INIT2 and the like turn the VM into a
 * confidential one, and the other commands are for such a VM only.
 *
 * Returns: 0, or -EPERM before KVM is asked; an event with REGPIN_REFUSED_CONFIDENTIAL
 * went out, and the VMM should end.
 */
int regpin_vm_check_encrypt_op(struct regpin_vm *vm, const void *cmd);

/**
 * regpin_vm_check_cap() - may the VMM enable this capability?
 * @vm: the VM
 * @cap: @cap of struct kvm_enable_cap
 *
 * KVM_CAP_VM_COPY_ENC_CONTEXT_FROM and KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM give the VM the
 * memory encryption of another one. KVM_CAP_X86_USER_SPACE_MSR and
 * KVM_CAP_EXIT_HYPERCALL are regpin_vm_set_user_msr()'s and regpin_vm_set_hypercalls()'s.
 *
 * Returns: 0, or -EPERM as regpin_vm_check_encrypt_op().
 */
int regpin_vm_check_cap(struct regpin_vm *vm, __u32 cap);

/**
 * regpin_vm_disabled_quirks() - the VMM has disabled quirks of KVM
 * @vm: the VM
 * @quirks: @args[0] of KVM_CAP_DISABLE_QUIRKS2 or KVM_CAP_DISABLE_QUIRKS, which KVM took
 *
 * Without KVM_X86_QUIRK_NESTED_SVM_SHARED_PAT a guest's own guest has a PAT of its own
 * on AMD, which KVM_SET_MSRS does not reach. What the policy has to judge of that one
 * is refused to the guest from then on, with #GP.
 */
void regpin_vm_disabled_quirks(struct regpin_vm *vm, __u64 quirks);

/**
 * regpin_vm_check_slot() - may the VMM add this memory slot?
 * @vm: the VM
 * @slot: @slot of struct kvm_userspace_memory_region
 *
 * Slots of address space 1 are SMRAM: a guest with SMM loads its control
 * registers and EFER past every filter, by RSM (APM volume 2, "System-Management
 * Mode").
 *
 * Returns: 0, or -EPERM if the policy does not accept SMM and does not only report; an
 * event with REGPIN_REFUSED_SMM went out, and the VMM should end.
 */
int regpin_vm_check_slot(struct regpin_vm *vm, __u32 slot);

/**
 * regpin_vcpu_attach() - put a vCPU under its VM's policy
 * @vm: the VM
 * @vcpu_fd: the vCPU; stays the caller's
 * @id: what was given to KVM_CREATE_VCPU
 * @run: the vCPU's mapped struct kvm_run; stays the caller's
 * @ret: the vCPU, to be given back with regpin_vcpu_detach()
 *
 * Returns: 0 or -ENOMEM.
 */
int regpin_vcpu_attach(struct regpin_vm *vm, int vcpu_fd, __u32 id,
		       struct kvm_run *run, struct regpin_vcpu **ret);

/**
 * regpin_vcpu_detach() - forget a vCPU
 * @vcpu: a vCPU that does not run any more, or NULL
 */
void regpin_vcpu_detach(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_set_cpuid() - the guest's CPUID, after KVM_SET_CPUID2
 * @vcpu: the vCPU
 * @cpuid: what KVM accepted
 *
 * From now on the rules hold that are for such guests only, and KVM's filter follows.
 *
 * Returns: 0, or -EPERM if this CPUID offers what the policy does not accept
 * (SVM, VMX, FRED), and does not only report, or if other rules hold for it than for the VM's other vCPUs, or
 * if KVM refused the filter; an event with the reason went out and the VMM should end.
 */
int regpin_vcpu_set_cpuid(struct regpin_vcpu *vcpu,
			  const struct kvm_cpuid2 *cpuid);

/**
 * regpin_vcpu_before_write() - the VMM is about to write registers
 * @vcpu: the vCPU
 *
 * To be called around KVM_SET_MSRS, KVM_SET_SREGS, KVM_SET_SREGS2 and
 * KVM_SET_ONE_REG, with regpin_vcpu_after_write() behind. Such writes are never
 * refused; this is how a reset is recognised and how a write that lowers a pin
 * becomes an event.
 */
void regpin_vcpu_before_write(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_after_write() - the VMM has written registers
 * @vcpu: the vCPU, after regpin_vcpu_before_write()
 */
void regpin_vcpu_after_write(struct regpin_vcpu *vcpu);

/**
 * enum regpin_entry - may a vCPU enter the guest?
 * @REGPIN_ENTER: yes
 * @REGPIN_HELD: it waits for regpin_vcpu_answer(). The VMM may do all that it does
 *	with a vCPU that does not run: save, reset, migrate, end it. Ask again later
 * @REGPIN_STOPPED: the VM must not run on, unless it is reset: its VMM should end it
 *	as crashed, as for KVM_SYSTEM_EVENT_CRASH
 * @REGPIN_EXITED: KVM has completed the last exit and exited anew (a debugger's step,
 *	the next part of an MMIO access): @exit_reason is that of a KVM_RUN that returned
 *	0. Call regpin_vcpu_exit(), not KVM_RUN
 */
enum regpin_entry {
	REGPIN_ENTER,
	REGPIN_HELD,
	REGPIN_STOPPED,
	REGPIN_EXITED
};

/**
 * regpin_vcpu_enter() - to be called before each KVM_RUN
 * @vcpu: the vCPU, on the thread that runs it
 *
 * Looks at the vCPU if the VMM wrote registers since the last call, if the operator
 * wants something, or if regpin_vcpu_tick() was called; arms it if its state says so.
 * A vCPU that is not to be entered has no exit left to complete, neither one of regpin's
 * nor one of the VMM's own: the library has called KVM_RUN with @immediate_exit for it
 * (KVM: Documentation/virt/kvm/api.rst, "KVM_RUN", the note on pending operations).
 *
 * Returns: enum regpin_entry.
 */
int regpin_vcpu_enter(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_exit() - judge an exit, to be called after each KVM_RUN that
 * returned 0
 * @vcpu: the vCPU, on the thread that runs it
 *
 * Returns: 1 if the exit was regpin's and is dealt with: call regpin_vcpu_enter()
 * and, if that says so, KVM_RUN again, also when the vCPU is being stopped (with
 * @immediate_exit set KVM completes the access and returns EINTR). 0 if the exit is
 * the VMM's.
 */
int regpin_vcpu_exit(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_leave() - to be called after each KVM_RUN that failed
 * @vcpu: the vCPU, on the thread that runs it
 *
 * What waits for all vCPUs (regpin_vm_settled()) need not wait for this one.
 */
void regpin_vcpu_leave(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_tick_ms() - how often does this vCPU have to be looked at?
 * @vcpu: the vCPU, on the thread that runs it
 *
 * Where KVM can't filter control registers they are looked at now and then, and a
 * vCPU that comes up beside armed ones has to arm in time.
 *
 * Returns: milliseconds of the vCPU thread's run time (CLOCK_THREAD_CPUTIME_ID)
 * after which regpin_vcpu_tick() should be called and the vCPU made to leave
 * KVM_RUN, again and again; 0: never. It changes by regpin_vcpu_enter() only.
 */
unsigned int regpin_vcpu_tick_ms(const struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_tick() - it is time to look at this vCPU
 * @vcpu: the vCPU. Any thread, also in a signal's handler
 */
void regpin_vcpu_tick(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_answer() - let a held vCPU go
 * @vcpu: the vCPU. Any thread
 * @action: REGPIN_ALLOW: it may do what it was held for, this one time; REGPIN_GP:
 *	it gets #GP(0) for it (if it was found with bits changed: they are put back);
 *	REGPIN_STOP: the VM is stopped
 *
 * Returns: 0, or -EINVAL if it is not held, or not for anything that could be
 * answered so.
 */
int regpin_vcpu_answer(struct regpin_vcpu *vcpu, unsigned int action);

/**
 * regpin_vcpu_retract() - take an exit back that nobody has answered
 * @vcpu: the vCPU, on the thread that runs it, after a KVM_RUN that returned 0
 *	with KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR or KVM_EXIT_X86_CR_WRITE (not
 *	for an INIT), and before regpin_vcpu_exit()
 *
 * Afterwards the guest stands before the instruction and nothing is pending, so
 * that its state may be saved, reset or migrated; when it runs on, it executes
 * the instruction again. The VMM should treat its KVM_RUN as interrupted (EINTR).
 *
 * Returns: 0, -EINVAL if no such exit is pending, or an ioctl's error, after which
 * the vCPU should not run on.
 */
int regpin_vcpu_retract(struct regpin_vcpu *vcpu);

/**
 * regpin_vm_vcpu() - find a vCPU by its id
 * @vm: the VM
 * @id: what was given to KVM_CREATE_VCPU
 *
 * Returns: the vCPU, which stays until the VMM detaches it, or NULL.
 */
struct regpin_vcpu *regpin_vm_vcpu(struct regpin_vm *vm, __u32 id);

/**
 * regpin_vm_arm() - the operator's word: the pins are to hold
 * @vm: the VM. Any thread
 *
 * Every vCPU that has its LSTAR is armed before it enters again, and those that come
 * later arm by setting theirs. Ends a window. With `arming: request` and `operator`
 * a VM reset takes it back.
 *
 * Returns: 0, or what KVM said when it was to install its CR filter.
 */
int regpin_vm_arm(struct regpin_vm *vm);

/**
 * regpin_vm_disarm() - the operator's word: no pins
 * @vm: the VM. Any thread
 *
 * All vCPUs are disarmed, and none arms before regpin_vm_arm(). `deny`, `value` and
 * the like, which are no pins, go on.
 */
void regpin_vm_disarm(struct regpin_vm *vm);

/**
 * regpin_vm_window() - open a window, in which another kernel may take over
 * @vm: the VM. Any thread
 * @once: it ends when a kernel has done its syscall set-up (LSTAR and SFMASK)
 *
 * As regpin_vm_disarm(), until regpin_vm_arm(), which the caller should not forget.
 */
void regpin_vm_window(struct regpin_vm *vm, int once);

/**
 * regpin_vm_windowed() - is a window open?
 * @vm: the VM. Any thread
 *
 * Returns: 1 or 0.
 */
int regpin_vm_windowed(const struct regpin_vm *vm);

/**
 * regpin_vm_set_policy() - another policy for a VM that runs
 * @vm: the VM. One thread at a time
 * @policy: the policy; must outlive the VM, or the next regpin_vm_policy_done()
 *
 * Exits are judged by the new policy from now on. Call regpin_vm_settled() until it
 * says yes, then regpin_vm_policy_done(). vCPUs that are armed stay so.
 *
 * While a vCPU may still judge by the policy before, regpin_vm_settled() having
 * said no, only that one can be given: the way back.
 *
 * Returns: 0, -EOPNOTSUPP if this KVM lacks what a rule that is not optional needs, or
 * on AMD if there are vCPUs and it filters LASTBRANCHFROMIP and the three MSRs behind it
 * (LASTINTTOIP is the last) where the policy before did not, -E2BIG if the policy's MSR filter and the VMM's don't fit into KVM's ranges
 * together, -EPERM if it does not accept what the guest has, -EBUSY if the last change
 * has not settled. Then nothing has changed.
 */
int regpin_vm_set_policy(struct regpin_vm *vm,
			 const struct regpin_policy *policy);

/**
 * regpin_vm_policy_done() - the filters follow the new policy
 * @vm: the VM, after regpin_vm_set_policy()
 *
 * Until here registers that only the new policy names were not filtered. The old
 * policy may be freed now, if regpin_vm_settled() had said yes.
 *
 * Returns: 0, or KVM's error; then the VM is stopped, and its reset does not lift that
 * as long as KVM refuses the filters. The new policy is in force nevertheless.
 */
int regpin_vm_policy_done(struct regpin_vm *vm);

/**
 * regpin_vm_settled() - has every vCPU seen what was changed last?
 * @vm: the VM. Any thread
 *
 * Kicks those that haven't. After a change, give them a millisecond before the first
 * call: a vCPU may just be on its way into the guest.
 *
 * Returns: 1 if each vCPU has looked, or is not running and will look before it
 * does; else 0.
 */
int regpin_vm_settled(struct regpin_vm *vm);

/**
 * enum regpin_status - what a VM or vCPU is in, for people
 * @REGPIN_IS_ARMED: its pins hold; a VM's: some vCPU's do
 * @REGPIN_IS_HELD: a vCPU waits for an answer
 * @REGPIN_IS_FRESH: a vCPU has had an INIT and has not come up yet
 * @REGPIN_IS_WINDOWED: a VM has a window open
 * @REGPIN_IS_STOPPED: a VM must not run on
 * @REGPIN_IS_FILTERED: a VM has KVM's CR filter in place
 * @REGPIN_IS_POLLED: a VM's control registers are polled, not filtered
 * @REGPIN_IS_UNREACHED: a vCPU can't be made to leave KVM_RUN, so it is not polled
 *	either; a VM's: some vCPU can't
 * @REGPIN_IS_SETTING_UP: a vCPU is armed, but has not finished its syscall set-up, so
 *	`uniform` and `once` don't hold for it as yet; a VM: no armed vCPU of it has, so
 *	nothing is settled that others must have
 */
enum regpin_status {
	REGPIN_IS_ARMED = 1 << 0,
	REGPIN_IS_HELD = 1 << 1,
	REGPIN_IS_FRESH = 1 << 2,
	REGPIN_IS_WINDOWED = 1 << 3,
	REGPIN_IS_STOPPED = 1 << 4,
	REGPIN_IS_FILTERED = 1 << 5,
	REGPIN_IS_POLLED = 1 << 6,
	REGPIN_IS_SETTING_UP = 1 << 7,
	REGPIN_IS_UNREACHED = 1 << 8
};

/**
 * regpin_vm_status() - what a VM is in
 * @vm: the VM. Any thread
 *
 * Returns: a mask of enum regpin_status.
 */
unsigned int regpin_vm_status(struct regpin_vm *vm);

/**
 * regpin_vcpu_status() - what a vCPU is in
 * @vcpu: the vCPU. Any thread
 * @held: if it is held, the event that told of it; may be NULL
 *
 * Returns: a mask of enum regpin_status.
 */
unsigned int regpin_vcpu_status(struct regpin_vcpu *vcpu,
				struct regpin_event *held);

/**
 * regpin_version() - the library's version
 *
 * Returns: a constant string, "MAJOR.MINOR.PATCH".
 */
const char *regpin_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
