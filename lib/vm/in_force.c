// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which rules of a VM's policy are in force: `when` makes that a question of what the
 * guest's CPUID says.
 *
 * Theory of operation: a policy without conditions is in force as it is. Else the rules
 * that hold are copied, so that nobody who judges or filters has to ask again. The VMM
 * sets CPUID before a vCPU runs; till then no such rule holds, and KVM takes no other
 * CPUID later. All vCPUs of a VM must agree, in so far as the policy asks.
 */
#include <errno.h>
#include <time.h>

#include "accept.h"
#include "core.h"
#include "in_force.h"
#include "lib/kvm/pages.h"
#include "lib/policy/when.h"
#include "vm_filters.h"

/* The room that is not in use now. */
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
	/* The way back, of a swap that failed: vCPUs may be judging by it. */
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

/* Is this what all others' CPUID says, as far as the policy asks? */
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

/* Under the lock. */
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
	/* A vCPU that runs without CPUID may judge by what was there. */
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
	 * Whole, as who swaps policies asks it, too; and at once with the policy that
	 * has to accept it.
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

	/* The policy is just being swapped: soon no vCPU needs the last one any more. */
	while ((err = try_set_guest(vm, vcpu, guest, accepted)) == -EBUSY)
		nanosleep(&ms, NULL);
	if (err == -EPERM)
		return vm_refuse(vm, vcpu, REGPIN_REFUSED_CPUID);
	if (err)
		vm_refuse(vm, vcpu, err == -E2BIG ? REGPIN_REFUSED_FILTER :
						    REGPIN_REFUSED_HOST);
	return err ? -EPERM : 0;
}
