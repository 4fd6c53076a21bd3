/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VM's lock, its list of vCPUs, its events, alerts, stopping. */
#ifndef REGPIN_LIB_CORE_H
#define REGPIN_LIB_CORE_H

#include "types.h"

/* The VM's list of vCPUs. */
void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu);
void vm_del_vcpu(struct regpin_vcpu *vcpu);

/*
 * Is any vCPU armed that may still run? One whose thread has ended was unplugged,
 * though the VMM may keep its fd for later: its own pins stay, but it does not
 * keep the VM's values alive over a reset of all others.
 */
bool vm_is_armed(struct regpin_vm *vm);
bool vm_is_armed_locked(struct regpin_vm *vm);

/* Spins: held for the length of a few ioctls at most, and rarely taken. */
void vm_lock(struct regpin_vm *vm);
void vm_unlock(struct regpin_vm *vm);

/*
 * The policy, for a thread that is not judging an exit: it stays until vm_put_policy().
 * A vCPU's own exits need neither, see regpin_vm_set_policy().
 */
const struct regpin_policy *vm_get_policy(struct regpin_vm *vm);
void vm_put_policy(struct regpin_vm *vm);

/*
 * Every vCPU looks at itself before it enters again, and soon. If the caller later polls
 * vm_all_looked_locked(), the change and the alert must be made under the same lock.
 */
void vm_alert(struct regpin_vm *vm);
void vm_alert_locked(struct regpin_vm *vm);

/* As regpin_vm_settled(). */
bool vm_all_looked_locked(struct regpin_vm *vm);

/* Makes a vCPU leave KVM_RUN, if the VMM gave a way. */
void vcpu_kick(struct regpin_vcpu *vcpu);

/* The VM must not run on, by @vcpu's doing. */
void vm_stop(struct regpin_vm *vm, struct regpin_vcpu *vcpu);

/*
 * Likewise, and an event reports why: KVM has failed with @err (negative) where what
 * @event speaks of can't be left as it is.
 */
void vm_stop_with_event(struct regpin_vcpu *vcpu,
			const struct regpin_event *event, int err);

/* The same, for a register of @vcpu that @kind and @index name. */
void vm_stop_for_register(struct regpin_vcpu *vcpu, unsigned int kind,
			  uint32_t index, int err);

/* Has a first vCPU come up, so that others can be late? */
bool vm_is_set_up(const struct regpin_vm *vm);

/*
 * Fills in time, vm, vcpu and, if it speaks of no rule, policy, and hands the event
 * on. @vcpu may be NULL.
 */
void vm_send_event(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		   struct regpin_event *event);

/* The number of a rule of a policy in force, as the whole policy counts. */
uint32_t vm_rule_number(struct regpin_vm *vm,
			const struct regpin_policy *policy,
			const struct rule *rule);

/* Sends a refusal as an event and returns -EPERM. */
int vm_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      enum regpin_refusal reason);

#endif
