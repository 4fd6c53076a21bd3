// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which rules of a VM's policy are in force: rules with `when` depend on the guest's
 * CPUID.
 *
 * Theory of operation: a policy without conditions is in force as it is. Otherwise the
 * rules that hold are copied, so that the judge and the filters need not check conditions.
 * The VMM sets CPUID before a vCPU runs; until then no rule with `when` holds, and KVM
 * refuses another CPUID later. All vCPUs of a VM must meet the same conditions.
 */
#include <errno.h>
#include <time.h>

#include "accept.h"
#include "core.h"
#include "in_force.h"
#include "lib/kvm/pages.h"
#include "lib/policy/when.h"
#include "vm_filters.h"

/* The room that the policy in force does not use. NULL: out of memory. */
static struct in_force *spare_room(struct regpin_vm *vm)
{
	const struct regpin_policy *now = atomic_load(&vm->policies.now);
	struct in_force *room = atomic_load(&vm->policies.rooms[0]);
	int i = room && &room->policy == now;

	room = atomic_load(&vm->policies.rooms[i]);
	if (!room) {
		room = pages_alloc(sizeof(*room));
		atomic_store(&vm->policies.rooms[i], room);
	}
	return room;
}

int in_force_resolve(struct regpin_vm *vm, const struct regpin_policy *whole,
		     uint64_t conditions, const struct regpin_policy **ret)
{
	struct in_force *room;

	if (!whole->nr_whens) {
		*ret = whole;
		return 0;
	}
	room = spare_room(vm);
	if (!room)
		return -ENOMEM;
	/*
	 * If the room has these rules already, a failed swap is being rolled back, and
	 * vCPUs may be judging by them. Otherwise the room is overwritten.
	 */
	if (room->of != whole || room->conditions != conditions) {
		if (vm->policies.previous && !vm_all_looked_locked(vm))
			return -EBUSY;
		policy_resolve(whole, conditions, &room->policy, room->numbers);
		room->of = whole;
		room->conditions = conditions;
	}
	*ret = &room->policy;
	return 0;
}

uint64_t in_force_conditions_locked(struct regpin_vm *vm,
				    const struct regpin_policy *whole)
{
	const struct regpin_vcpu *vcpu;

	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		if (vcpu->guest.known)
			return whens_match(whole, &vcpu->guest);
	return 0;
}

/* Do all other vCPUs of the VM meet the same conditions? Caller holds the VM lock. */
static bool others_agree_locked(struct regpin_vm *vm,
				const struct regpin_vcpu *vcpu,
				uint64_t conditions)
{
	const struct regpin_vcpu *other;

	for (other = vm->vcpus; other; other = other->next)
		if (other != vcpu && other->guest.known &&
		    whens_match(vm->policies.whole, &other->guest) !=
			    conditions)
			return false;
	return true;
}

/* Puts the rules that hold with @conditions in force. Caller holds the VM lock. */
static int apply_conditions_locked(struct regpin_vm *vm, uint64_t conditions)
{
	const struct regpin_policy *policy;
	int err;

	if (conditions == vm->policies.conditions)
		return 0;
	err = in_force_resolve(vm, vm->policies.whole, conditions, &policy);
	if (err)
		return err;
	vm->policies.conditions = conditions;
	/* A vCPU that runs without CPUID may judge by the rules that were in force. */
	if (!vm->policies.previous)
		vm->policies.previous = vm->policies.whole;
	atomic_store(&vm->policies.now, policy);
	vm_alert_locked(vm);
	return vm_refilter_locked(vm);
}

static int try_set_guest(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
			 const struct guest *guest, uint32_t *accepted)
{
	uint64_t conditions;
	int err = -EPERM;

	vm_lock(vm);
	conditions = whens_match(vm->policies.whole, guest);
	if (others_agree_locked(vm, vcpu, conditions))
		err = apply_conditions_locked(vm, conditions);
	/*
	 * Set the guest in one go under the lock, because regpin_vm_set_policy() reads it;
	 * and read @accepted under the same lock, so that it is this policy's.
	 */
	if (!err) {
		vcpu->guest = *guest;
		*accepted = vm_accepted_locked(vm);
	}
	vm_unlock(vm);
	return err;
}

int in_force_set_guest(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
		       const struct guest *guest, uint32_t *accepted)
{
	const struct timespec ms = { 0, 1000000 };
	int err;

	/* During a swap, wait until no vCPU needs the previous policy any more. */
	while ((err = try_set_guest(vm, vcpu, guest, accepted)) == -EBUSY)
		nanosleep(&ms, NULL);
	if (err == -EPERM)
		return vm_refuse(vm, vcpu, REGPIN_REFUSED_CPUID);
	if (err)
		vm_refuse(vm, vcpu, err == -E2BIG ? REGPIN_REFUSED_FILTER :
						    REGPIN_REFUSED_HOST);
	return err ? -EPERM : 0;
}
