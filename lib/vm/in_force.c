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
static struct in_force *other_room(struct regpin_vm *vm)
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

int vm_resolve(struct regpin_vm *vm, const struct regpin_policy *whole,
	       uint64_t hold, const struct regpin_policy **ret)
{
	struct in_force *room;

	if (!whole->nr_whens) {
		*ret = whole;
		return 0;
	}
	room = other_room(vm);
	if (!room)
		return -ENOMEM;
	/* The way back, of a swap that failed: vCPUs may be judging by it. */
	if (room->of != whole || room->hold != hold) {
		if (vm->policies.before && !vm_settled_locked(vm))
			return -EBUSY;
		policy_resolve(whole, hold, &room->policy, room->numbers);
		room->of = whole;
		room->hold = hold;
	}
	*ret = &room->policy;
	return 0;
}

uint64_t vm_holds(struct regpin_vm *vm, const struct regpin_policy *whole)
{
	const struct regpin_vcpu *vcpu;

	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		if (vcpu->guest.known)
			return whens_match(whole, &vcpu->guest);
	return 0;
}

/* Is this what all others' CPUID says, as far as the policy asks? */
static bool agreed(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		   uint64_t hold)
{
	const struct regpin_vcpu *other;

	for (other = vm->vcpus; other; other = other->next)
		if (other != vcpu && other->guest.known &&
		    whens_match(vm->policies.whole, &other->guest) != hold)
			return false;
	return true;
}

/* Under the lock. */
static int take_over(struct regpin_vm *vm, uint64_t hold)
{
	const struct regpin_policy *policy;
	int err;

	if (hold == vm->policies.hold)
		return 0;
	err = vm_resolve(vm, vm->policies.whole, hold, &policy);
	if (err)
		return err;
	vm->policies.hold = hold;
	/* A vCPU that runs without CPUID may judge by what was there. */
	if (!vm->policies.before)
		vm->policies.before = vm->policies.whole;
	atomic_store(&vm->policies.now, policy);
	vm_alert_locked(vm);
	return vm_refilter_locked(vm);
}

static int try_guest(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
		     const struct guest *guest, uint32_t *accepted)
{
	uint64_t hold;
	int err = -EPERM;

	vm_lock(vm);
	hold = whens_match(vm->policies.whole, guest);
	if (agreed(vm, vcpu, hold))
		err = take_over(vm, hold);
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

int vm_guest_known(struct regpin_vm *vm, struct regpin_vcpu *vcpu,
		   const struct guest *guest, uint32_t *accepted)
{
	const struct timespec ms = { 0, 1000000 };
	int err;

	/* The policy is just being swapped: soon no vCPU needs the last one any more. */
	while ((err = try_guest(vm, vcpu, guest, accepted)) == -EBUSY)
		nanosleep(&ms, NULL);
	if (err == -EPERM)
		return vm_refuse(vm, vcpu, REGPIN_REFUSED_CPUID);
	if (err)
		vm_refuse(vm, vcpu, err == -E2BIG ? REGPIN_REFUSED_FILTER :
						    REGPIN_REFUSED_HOST);
	return err ? -EPERM : 0;
}
