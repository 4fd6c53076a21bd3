// SPDX-License-Identifier: LGPL-2.1-or-later
/* The swap of a VM's policy while the VM runs. */
#include <errno.h>

#include "accept.h"
#include "core.h"
#include "in_force.h"
#include "lib/judge/msr_filter.h"
#include "lib/kvm/host.h"
#include "lib/kvm/lbr.h"
#include "lib/kvm/pages.h"
#include "policies.h"
#include "vm_filters.h"

int vm_check_host(const struct regpin_policy *policy,
		      const struct host *host)
{
	const char *why;

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (!(policy->rules[i].flags & (RULE_OPTIONAL | RULE_DETECT)) &&
		    !host_enforces(host, &policy->rules[i], &why))
			return -EOPNOTSUPP;
	if (policy->settings.init_action != REGPIN_ALLOW && !host->cr_filter)
		return -EOPNOTSUPP;
	return 0;
}

/*
 * Builds the policy's filter to see whether it fits. A swap must not fail halfway. Caller
 * holds the VM lock.
 */
static int try_filter_locked(struct regpin_vm *vm,
			     const struct regpin_policy *policy)
{
	struct msr_filter *trial = pages_alloc(sizeof(*trial));
	int err = trial ? vm_build_filter(vm, policy, trial) : -ENOMEM;

	if (err == -E2BIG)
		vm->filters.overflow = trial->overflow;
	pages_free(trial, sizeof(*trial));
	return err;
}

/*
 * Finds the rules of @whole that would be in force, and checks whether the VM can have
 * them. Caller holds the VM lock.
 */
static int find_policy_locked(struct regpin_vm *vm,
			      const struct regpin_policy *whole,
			      uint64_t *conditions,
			      const struct regpin_policy **ret)
{
	int err;

	if (!vm_accepts_locked(vm, whole))
		return -EPERM;
	*conditions = in_force_conditions_locked(vm, whole);
	err = in_force_resolve(vm, whole, *conditions, ret);
	/* In a rollback, KVM may still have the filter of that policy. */
	if (!err && whole != vm->policies.previous && vm->vcpus &&
	    lbr_comes_late(&vm->host, vm->policies.now, *ret))
		err = -EOPNOTSUPP;
	return err ? err : try_filter_locked(vm, *ret);
}

/*
 * May the policy be replaced by @whole? There is room for two policies, so while a vCPU may
 * judge by the previous policy, only that one can be put in force again. Caller holds the
 * VM lock.
 */
static bool may_swap_locked(struct regpin_vm *vm,
			    const struct regpin_policy *whole)
{
	if (vm->policies.previous && vm_all_looked_locked(vm))
		vm->policies.previous = NULL;
	return !vm->policies.previous || whole == vm->policies.previous;
}

/* Caller holds the VM lock. */
static int set_policy_locked(struct regpin_vm *vm,
			     const struct regpin_policy *whole)
{
	const struct regpin_policy *policy;
	uint64_t conditions;
	int err;

	if (!may_swap_locked(vm, whole))
		return -EBUSY;
	err = find_policy_locked(vm, whole, &conditions, &policy);
	if (err)
		return err;
	vm->policies.previous = vm->policies.whole;
	vm->policies.whole = whole;
	vm->policies.conditions = conditions;
	atomic_store(&vm->policies.now, policy);
	atomic_store(&vm->policies.number, policy->number);
	atomic_fetch_add(&vm->policies.swaps, 1);
	vm_alert_locked(vm);
	return 0;
}

/*
 * Marks the room that is not in force as unused: the caller may free its policy, and
 * another one may get the same address. As long as there is a previous policy, its room
 * is kept for a rollback. Caller holds the VM lock.
 */
static void forget_room_locked(struct regpin_vm *vm)
{
	for (int i = 0; i < 2 && !vm->policies.previous; i++) {
		struct in_force *room = vm->policies.rooms[i];

		if (room && &room->policy != vm->policies.now)
			room->of = NULL;
	}
}

void vm_forget_previous(struct regpin_vm *vm)
{
	vm_lock(vm);
	if (vm->policies.previous && vm_all_looked_locked(vm))
		vm->policies.previous = NULL;
	vm_unlock(vm);
}

int vm_try_policy(struct regpin_vm *vm, const struct regpin_policy *policy)
{
	const struct regpin_policy *found;
	uint64_t conditions;
	int err = vm_check_host(policy, &vm->host);

	if (err)
		return err;
	vm_lock(vm);
	err = may_swap_locked(vm, policy) ?
		      find_policy_locked(vm, policy, &conditions, &found) :
		      -EBUSY;
	forget_room_locked(vm);
	vm_unlock(vm);
	return err;
}

int regpin_vm_set_policy(struct regpin_vm *vm,
			 const struct regpin_policy *policy)
{
	int err = vm_check_host(policy, &vm->host);

	if (err)
		return err;
	vm_lock(vm);
	err = set_policy_locked(vm, policy);
	if (err)
		forget_room_locked(vm);
	vm_unlock(vm);
	return err;
}

int regpin_vm_policy_done(struct regpin_vm *vm)
{
	struct regpin_event event = { .type = REGPIN_EVENT_POLICY,
				      .rule = REGPIN_NO_RULE };
	int err;

	vm_lock(vm);
	err = vm_refilter_locked(vm);
	vm->filters.refused = err;
	if (vm_all_looked_locked(vm))
		vm->policies.previous = NULL;
	forget_room_locked(vm);
	vm_unlock(vm);
	if (err) {
		vm_stop(vm, NULL);
	} else {
		vm_send_event(vm, NULL, &event);
		vm_report_tolerated(vm);
	}
	/* Polling may have become necessary: make every vCPU recompute its tick. */
	vm_alert(vm);
	return err;
}
