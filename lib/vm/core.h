/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The basic functions on a VM: lock, list of vCPUs, events, alerts, stopping. */
#ifndef REGPIN_LIB_CORE_H
#define REGPIN_LIB_CORE_H

#include "types.h"

/* The VM's list of vCPUs. */
void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu);
void vm_del_vcpu(struct regpin_vcpu *vcpu);

/*
 * Is a vCPU armed that may still run? A vCPU whose thread has ended was unplugged, though
 * the VMM may keep its file for later: its own pins stay, but it does not keep the VM's
 * uniform values when all others are reset. Caller of vm_is_armed_locked() holds the VM
 * lock.
 */
bool vm_is_armed(struct regpin_vm *vm);
bool vm_is_armed_locked(struct regpin_vm *vm);

/*
 * The VM lock is a spinlock: it is held for a few ioctls at most, and rarely taken. A
 * caller must not wait for another thread while it holds the lock.
 */
void vm_lock(struct regpin_vm *vm);
void vm_unlock(struct regpin_vm *vm);

/*
 * Returns the policy in force, which stays valid until vm_put_policy(). For threads that
 * are not judging an exit; a vCPU's own exits need neither function, see
 * regpin_vm_set_policy().
 */
const struct regpin_policy *vm_get_policy(struct regpin_vm *vm);
void vm_put_policy(struct regpin_vm *vm);

/*
 * Makes every vCPU look at itself, that is, compare its state with its VM's, before it
 * enters again, and kicks it so that it does so soon. If the caller later polls
 * vm_all_looked_locked(), make the change and the alert under the same lock.
 */
void vm_alert(struct regpin_vm *vm);
void vm_alert_locked(struct regpin_vm *vm);

/* Like regpin_vm_settled(). Caller holds the VM lock. */
bool vm_all_looked_locked(struct regpin_vm *vm);

/* Makes a vCPU leave KVM_RUN, if the caller's options have a function for it. */
void vcpu_kick(struct regpin_vcpu *vcpu);

/*
 * Stops the VM: no vCPU enters before a reset. @vcpu is the one that reports it to the VMM;
 * NULL: any.
 */
void vm_stop(struct regpin_vm *vm, struct regpin_vcpu *vcpu);

/*
 * Stops the VM because KVM failed with @err (negative) in the access of @event, and
 * reports that. For failures that leave a register in an unknown or forbidden state.
 */
void vm_stop_with_event(struct regpin_vcpu *vcpu,
			const struct regpin_event *event, int err);

/* The same for the write of the register that @kind and @index name. */
void vm_stop_for_register(struct regpin_vcpu *vcpu, unsigned int kind,
			  uint32_t index, int err);

/* Has the first armed vCPU finished its set-up, so that deadlines apply to the others? */
bool vm_is_set_up(const struct regpin_vm *vm);

/*
 * Fills in @event's time, vm, vcpu and, if it names no rule, its policy, and passes it to
 * the caller's function. @vcpu may be NULL.
 */
void vm_send_event(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		   struct regpin_event *event);

/* Returns the number that @rule, of a policy in force, has in the whole policy. */
uint32_t vm_rule_number(struct regpin_vm *vm,
			const struct regpin_policy *policy,
			const struct rule *rule);

/* Reports a refusal and returns -EPERM. */
int vm_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      enum regpin_refusal reason);

#endif
