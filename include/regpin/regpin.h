/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libregpin: decide in userspace what a KVM guest may do with its registers.
 *
 * A VMM loads a policy that `regpin compile` has turned into a blob, attaches it to its
 * VM and vCPU fds, and passes every KVM_RUN exit to regpin_vcpu_exit().
 *
 * Functions that can fail return 0 or a negative errno; the comment of each lists the
 * values. They write results only on success. The library never prints, never exits and
 * starts no thread.
 *
 * Threads: a vCPU may only be used by the thread that runs it, unless the function's
 * comment has "Any thread"; the vCPU may move to another thread between two calls of
 * regpin_vcpu_enter(). The functions of a VM may be called from any thread, unless their
 * comments state otherwise.
 */
#ifndef REGPIN_REGPIN_H
#define REGPIN_REGPIN_H

#include <linux/types.h>
#include <stddef.h>

#include "regpin/event.h"
#include "regpin/policy.h"
#include "regpin/status.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct kvm_run;
struct kvm_cpuid2;
struct kvm_msr_filter;

/**
 * struct regpin_vm_options - how a VM is attached
 * @size: sizeof(struct regpin_vm_options). The struct may grow in a later version, and
 *	only at its end; a member that is 0 asks for nothing. So a VMM works with an older
 *	or a newer library than the one that it was built with, if it clears the struct
 *	first: members that it does not have are 0 for the library, and members that the
 *	library does not know must be 0
 * @vm: the number by which events name this VM
 * @event: called with each event, on the thread that caused it; must not block.
 *	May be NULL. The event is only valid during the call.
 * @kick: makes a vCPU leave KVM_RUN with EINTR soon, in the way in which the VMM does
 *	that for its own reasons: with a signal and @immediate_exit. The VMM then calls
 *	regpin_vcpu_enter(). Called from any thread; must not block. May be NULL: then
 *	commands of the operator, and polls, take effect at the vCPU's next exit.
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
 * regpin_check_vm_type() - may a VM be of this type?
 * @type: the argument of KVM_CREATE_VM, before KVM is asked
 *
 * KVM_X86_DEFAULT_VM and KVM_X86_SW_PROTECTED_VM are allowed: KVM holds the registers of
 * both. The other types are confidential VMs (KVM_X86_SEV_VM, KVM_X86_SEV_ES_VM,
 * KVM_X86_SNP_VM, KVM_X86_TDX_VM), whose registers or memory the host cannot see, or
 * types that this version does not know.
 *
 * Returns: 0, or -EPERM; then the VMM should end. regpin_refusal_text() explains the
 * refusal, for REGPIN_REFUSED_CONFIDENTIAL.
 */
int regpin_check_vm_type(__u64 type);

/**
 * regpin_vm_attach() - put a VM under a policy
 * @policy: the policy; must outlive the VM
 * @kvm_fd: /dev/kvm; only used during the call
 * @vm_fd: the VM, before its first vCPU is created; stays the caller's
 * @options: may be NULL
 * @ret: the VM, owned by the caller until regpin_vm_detach()
 *
 * Enables KVM_CAP_X86_USER_SPACE_MSR with KVM_MSR_EXIT_REASON_FILTER, and with
 * KVM_MSR_EXIT_REASON_UNKNOWN and KVM_MSR_EXIT_REASON_INVAL if the policy has rules for
 * those, and installs the policy's MSR filter. Rules on control registers need a KVM with
 * KVM_CAP_X86_CR_FILTER (the patches in kernel/ add it); that filter is installed when
 * the first vCPU is armed, so that it does not hinder firmware. If the policy lets the
 * guest ask for its pins, hypercall 13 is enabled if KVM can forward it.
 *
 * Returns: 0, -EINVAL if @options->size is smaller than in version 0.1.0, -E2BIG if
 * @options asks for something that this version does not know, or is larger than 4096
 * bytes, -EOPNOTSUPP if this KVM lacks what a mandatory rule needs, -EPERM if the VM's
 * registers are protected from the host (KVM reports that since Linux 6.11), -ENOMEM, or
 * an ioctl's error.
 * (KVM: Documentation/virt/kvm/api.rst, "KVM_X86_SET_MSR_FILTER".)
 */
int regpin_vm_attach(const struct regpin_policy *policy, int kvm_fd, int vm_fd,
		     const struct regpin_vm_options *options,
		     struct regpin_vm **ret);

/**
 * regpin_vm_detach() - free a VM
 * @vm: a VM whose vCPUs are all detached, or NULL
 *
 * KVM's filter stays as it is.
 */
void regpin_vm_detach(struct regpin_vm *vm);

/**
 * regpin_vm_set_msr_filter() - set the VMM's own MSR filter
 * @vm: the VM
 * @filter: what the VMM would have given to KVM_X86_SET_MSR_FILTER; copied
 *
 * Merges the VMM's filter with the policy's and installs the result. An access that
 * the VMM's filter denies and that no rule names still exits to the VMM.
 *
 * Returns: 0, what KVM would have returned for @filter alone (-EINVAL, -EFAULT),
 * -E2BIG if both together need more than 16 ranges (regpin_vm_overflow() names the MSRs
 * that did not fit), or the ioctl's error.
 */
int regpin_vm_set_msr_filter(struct regpin_vm *vm,
			     const struct kvm_msr_filter *filter);

/**
 * regpin_vm_overflow() - the MSRs for which KVM had no range left
 * @vm: the VM, after -E2BIG from regpin_vm_set_msr_filter() or regpin_vm_set_policy().
 *	Any thread
 * @text: the caller's; filled with a sentence that names the MSRs, by name or index, and
 *	what to do. If it is too small for all of them, the sentence ends with the number
 *	of the others. 2048 bytes are always enough
 * @size: size of @text, in bytes
 *
 * Returns: 0, or -ENOENT if all MSRs have fitted so far; then @text is not written.
 */
int regpin_vm_overflow(struct regpin_vm *vm, char *text, size_t size);

/**
 * regpin_vm_set_user_msr() - enable the VMM's own KVM_CAP_X86_USER_SPACE_MSR
 * @vm: the VM
 * @mask: the VMM's KVM_MSR_EXIT_REASON_* mask
 *
 * The library adds the policy's reasons. The VMM never gets an exit for a reason that is
 * not in @mask: the guest then gets #GP, as it would from KVM, or what the policy states.
 *
 * Returns: 0, or KVM's error (-EINVAL on an unknown reason).
 */
int regpin_vm_set_user_msr(struct regpin_vm *vm, __u64 mask);

/**
 * regpin_vm_set_hypercalls() - enable the VMM's own KVM_CAP_EXIT_HYPERCALL
 * @vm: the VM
 * @mask: the VMM's mask of hypercalls
 *
 * The library adds hypercall 13 if the policy lets the guest ask for its pins.
 *
 * Returns: 0, or KVM's error (-EINVAL on a hypercall that it doesn't forward).
 */
int regpin_vm_set_hypercalls(struct regpin_vm *vm, __u64 mask);

/**
 * regpin_vm_check_encrypt_op() - may the VMM issue this KVM_MEMORY_ENCRYPT_OP?
 * @vm: the VM
 * @cmd: the ioctl's argument; it is not read. NULL is always allowed: the ioctl then
 *	only asks whether KVM supports memory encryption
 *
 * KVM_SEV_INIT, KVM_SEV_ES_INIT, KVM_SEV_INIT2 and the like turn the VM into a
 * confidential one, and the other commands are for such a VM only.
 *
 * Returns: 0, or -EPERM; then an event with REGPIN_REFUSED_CONFIDENTIAL was sent, and
 * the VMM should not issue the ioctl, and should end.
 */
int regpin_vm_check_encrypt_op(struct regpin_vm *vm, const void *cmd);

/**
 * regpin_vm_check_cap() - may the VMM enable this capability?
 * @vm: the VM
 * @cap: @cap of struct kvm_enable_cap
 *
 * KVM_CAP_VM_COPY_ENC_CONTEXT_FROM and KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM give the VM the
 * memory encryption of another one, and are refused. For KVM_CAP_X86_USER_SPACE_MSR and
 * KVM_CAP_EXIT_HYPERCALL use regpin_vm_set_user_msr() and regpin_vm_set_hypercalls().
 *
 * Returns: 0, or -EPERM, as for regpin_vm_check_encrypt_op().
 */
int regpin_vm_check_cap(struct regpin_vm *vm, __u32 cap);

/**
 * regpin_vm_disabled_quirks() - the VMM has disabled quirks of KVM
 * @vm: the VM
 * @quirks: @args[0] of a KVM_CAP_DISABLE_QUIRKS2 or KVM_CAP_DISABLE_QUIRKS that KVM
 *	accepted
 *
 * Without KVM_X86_QUIRK_NESTED_SVM_SHARED_PAT, a nested guest on AMD has its own PAT,
 * which KVM_SET_MSRS does not reach. From then on, the nested guest gets #GP for each
 * access to PAT that the policy has to judge.
 */
void regpin_vm_disabled_quirks(struct regpin_vm *vm, __u64 quirks);

/**
 * regpin_vm_check_slot() - may the VMM add this memory slot?
 * @vm: the VM
 * @slot: @slot of struct kvm_userspace_memory_region
 *
 * Slots of address space 1 are SMRAM: RSM loads a guest's control registers and EFER
 * without passing a filter (APM volume 2, "System-Management Mode").
 *
 * Returns: 0, or -EPERM if the policy enforces something and does not accept SMM; then
 * an event with REGPIN_REFUSED_SMM was sent, and the VMM should end.
 */
int regpin_vm_check_slot(struct regpin_vm *vm, __u32 slot);

/**
 * regpin_vcpu_attach() - put a vCPU under its VM's policy
 * @vm: the VM
 * @vcpu_fd: the vCPU; stays the caller's
 * @id: the id that was given to KVM_CREATE_VCPU
 * @run: the vCPU's mapped struct kvm_run; stays the caller's
 * @ret: the vCPU, owned by the caller until regpin_vcpu_detach()
 *
 * Returns: 0 or -ENOMEM.
 */
int regpin_vcpu_attach(struct regpin_vm *vm, int vcpu_fd, __u32 id,
		       struct kvm_run *run, struct regpin_vcpu **ret);

/**
 * regpin_vcpu_detach() - free a vCPU
 * @vcpu: a vCPU that no longer runs, or NULL
 */
void regpin_vcpu_detach(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_set_cpuid() - note the guest's CPUID, after KVM_SET_CPUID2
 * @vcpu: the vCPU
 * @cpuid: what KVM accepted; only read during the call
 *
 * From now on, rules with `when` hold if they match this CPUID, and KVM's filter is
 * changed to fit.
 *
 * Returns: 0, or -EPERM if the policy enforces something and does not accept what this
 * CPUID offers (SVM, VMX, FRED), if the rules that match it are not those of the VM's
 * other vCPUs, or if KVM refused the filter; then an event with the reason was sent,
 * and the VMM should end.
 */
int regpin_vcpu_set_cpuid(struct regpin_vcpu *vcpu,
			  const struct kvm_cpuid2 *cpuid);

/**
 * regpin_vcpu_before_write() - the VMM is about to write registers
 * @vcpu: the vCPU
 *
 * Call it before KVM_SET_MSRS, KVM_SET_SREGS, KVM_SET_SREGS2 and KVM_SET_ONE_REG, and
 * regpin_vcpu_after_write() after them. Such writes are never refused; from these calls
 * the library recognises a reset, and reports a write that lowers a pin.
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
 * @REGPIN_HELD: no, the vCPU waits for regpin_vcpu_answer(). The VMM may do whatever it
 *	does with a vCPU that does not run: save, reset, migrate or end it. Call
 *	regpin_vcpu_enter() again later
 * @REGPIN_STOPPED: no, the VM must not continue unless it is reset: its VMM should end
 *	it, as after a KVM_SYSTEM_EVENT_CRASH
 * @REGPIN_EXITED: not yet: KVM has completed the last exit and exited again (a debugger's
 *	step, the next part of an MMIO access): the run page holds an exit, as after a
 *	KVM_RUN that returned 0. Call regpin_vcpu_exit(), not KVM_RUN
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
 * Reads the vCPU's registers if the VMM has written some since the last call, if the
 * operator has given a command, or if regpin_vcpu_tick() was called; arms the vCPU if its
 * registers show that it must be armed now. If the vCPU may not enter, no exit of it,
 * whether regpin's or the VMM's, is left for KVM to complete: the library has called
 * KVM_RUN with @immediate_exit for that (KVM: Documentation/virt/kvm/api.rst, "KVM_RUN",
 * the note on pending operations).
 *
 * Returns: enum regpin_entry.
 */
int regpin_vcpu_enter(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_exit() - judge an exit, to be called after each KVM_RUN that
 * returned 0
 * @vcpu: the vCPU, on the thread that runs it
 *
 * Returns: 1 if the exit was regpin's and is handled: call regpin_vcpu_enter() and, if
 * that returns REGPIN_ENTER, KVM_RUN again. Do so also if the VMM wants to stop the
 * vCPU: with @immediate_exit set, KVM completes the access and returns EINTR. 0 if the
 * VMM has to handle the exit.
 */
int regpin_vcpu_exit(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_leave() - to be called after each KVM_RUN that failed
 * @vcpu: the vCPU, on the thread that runs it
 *
 * Without this call, regpin_vm_settled() would wait for this vCPU.
 */
void regpin_vcpu_leave(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_tick_ms() - how often must this vCPU be polled?
 * @vcpu: the vCPU, on the thread that runs it
 *
 * If KVM can't filter control registers, they are polled. A vCPU that is brought online
 * while others are armed is polled as well, because it has a deadline.
 *
 * Returns: an interval in milliseconds of the vCPU thread's run time
 * (CLOCK_THREAD_CPUTIME_ID), or 0: never. Once in each interval, call
 * regpin_vcpu_tick() and make the vCPU leave KVM_RUN. Only regpin_vcpu_enter() changes
 * the interval.
 */
unsigned int regpin_vcpu_tick_ms(const struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_tick() - have this vCPU polled at its next regpin_vcpu_enter()
 * @vcpu: the vCPU. Any thread; async-signal-safe
 */
void regpin_vcpu_tick(struct regpin_vcpu *vcpu);

/**
 * regpin_vcpu_answer() - answer a held vCPU, which ends the hold
 * @vcpu: the vCPU. Any thread
 * @action: REGPIN_ALLOW: the access for which it is held happens, this one time;
 *	REGPIN_GP: the vCPU gets #GP(0) for the access (if a poll found changed bits,
 *	they are restored instead); REGPIN_STOP: the VM is stopped
 *
 * Returns: 0, or -EINVAL if the vCPU is not held, or if this answer does not fit the
 * reason for which it is held.
 */
int regpin_vcpu_answer(struct regpin_vcpu *vcpu, unsigned int action);

/**
 * regpin_vcpu_retract() - take back an exit that was not answered
 * @vcpu: the vCPU, on the thread that runs it, after a KVM_RUN that returned 0
 *	with KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR or KVM_EXIT_X86_CR_WRITE (not
 *	for an INIT), and before regpin_vcpu_exit()
 *
 * Afterwards RIP is at the instruction and nothing is pending in KVM, so the vCPU's
 * state may be saved, reset or migrated; when the vCPU runs again, it executes the
 * instruction again. The VMM should treat its KVM_RUN as interrupted (EINTR).
 *
 * Returns: 0, -EINVAL if no such exit is pending, -EIO if KVM exited again while it
 * completed the exit, or an ioctl's error. After an error other than -EINVAL the vCPU
 * should not run again.
 */
int regpin_vcpu_retract(struct regpin_vcpu *vcpu);

/**
 * regpin_vm_vcpu() - find a vCPU by its id
 * @vm: the VM
 * @id: the id that was given to KVM_CREATE_VCPU
 *
 * Returns: the vCPU, valid until the VMM detaches it, or NULL.
 */
struct regpin_vcpu *regpin_vm_vcpu(struct regpin_vm *vm, __u32 id);

/**
 * regpin_vm_arm() - arm the VM's vCPUs by the operator's command
 * @vm: the VM. Any thread
 *
 * Every vCPU that has set LSTAR is armed before it enters again; the others are armed
 * when they set it. Ends a window. If the policy has `arming: request` or `arming:
 * operator`, a reset of the VM undoes this.
 *
 * Returns: 0, or KVM's error when the CR filter was installed.
 */
int regpin_vm_arm(struct regpin_vm *vm);

/**
 * regpin_vm_disarm() - lift all pins by the operator's command
 * @vm: the VM. Any thread
 *
 * All vCPUs are disarmed, and none is armed again before regpin_vm_arm() or, with
 * `arming: request`, before the guest's next request. Rules that are not pins, such as
 * `deny` and `value`, still hold.
 */
void regpin_vm_disarm(struct regpin_vm *vm);

/**
 * regpin_vm_window() - open a window, in which another kernel may take over
 * @vm: the VM. Any thread
 * @once: the window ends when a kernel has finished its syscall set-up (LSTAR and SFMASK)
 *
 * Lifts all pins, as regpin_vm_disarm() does. Without @once, the pins stay lifted until
 * the caller calls regpin_vm_arm().
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
 * regpin_vm_set_policy() - swap the policy of a running VM
 * @vm: the VM. One thread at a time
 * @policy: the policy; must outlive the VM, or stay valid until a later swap has replaced
 *	it: see regpin_vm_policy_done()
 *
 * Exits are judged by the new policy from now on. Call regpin_vm_settled() until it
 * returns 1, then regpin_vm_policy_done(). Armed vCPUs stay armed.
 *
 * While regpin_vm_settled() returns 0, a vCPU may still judge by the previous policy.
 * Until it returns 1, the only policy that is accepted is the previous one, which undoes
 * the swap.
 *
 * Returns: 0; -EOPNOTSUPP if this KVM lacks what a mandatory rule needs, or if, on an AMD
 * host, the VM already has vCPUs and the filter for @policy must have one of the four
 * MSRs from LASTBRANCHFROMIP to LASTINTTOIP that the filter for the previous policy does
 * not have; -E2BIG if the policy's MSR filter and the VMM's together need more than KVM's
 * ranges; -EPERM if the policy does not accept a feature that the VM has; -EBUSY if the
 * last change has not settled; -ENOMEM. After an error nothing has changed.
 */
int regpin_vm_set_policy(struct regpin_vm *vm,
			 const struct regpin_policy *policy);

/**
 * regpin_vm_policy_done() - install the filters of the new policy
 * @vm: the VM, after regpin_vm_set_policy()
 *
 * Before this call, registers that only the new policy names are not filtered. After
 * it, the caller may free the previous policy if regpin_vm_settled() had returned 1.
 *
 * Returns: 0, or KVM's error; then the VM is stopped, and stays stopped, even after a
 * reset, as long as KVM refuses the filters. The new policy is in force nevertheless.
 */
int regpin_vm_policy_done(struct regpin_vm *vm);

/**
 * regpin_vm_settled() - does every vCPU follow the last change?
 * @vm: the VM. Any thread
 *
 * Kicks the vCPUs that do not yet. After a change, wait a millisecond before the first
 * call: a vCPU may be about to enter the guest.
 *
 * Returns: 1 if each vCPU follows the change, or does not run and will follow it from its
 * next entry on; otherwise 0.
 */
int regpin_vm_settled(struct regpin_vm *vm);

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
