// SPDX-License-Identifier: LGPL-2.1-or-later
/* Another policy for a VM that runs: is it possible, and the change. */
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

/*
 * A rule that this host can't enforce stops the start, unless it is optional or is
 * only to be looked after.
 */
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

/* Would its filter fit? Nothing may be half done. Under the lock. */
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

/* What of @whole would be in force? Under the lock. */
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
	/* On the way back the filter of before may be in place yet. */
	if (!err && whole != vm->policies.previous && vm->vcpus &&
	    lbr_comes_late(&vm->host, vm->policies.now, *ret))
		err = -EOPNOTSUPP;
	return err ? err : try_filter_locked(vm, *ret);
}

/*
 * While a vCPU may judge by the policy before, that and the one in force are all that
 * there is room for. Only the way back is open then.
 */
static bool may_swap_locked(struct regpin_vm *vm,
			    const struct regpin_policy *whole)
{
	if (vm->policies.previous && vm_all_looked_locked(vm))
		vm->policies.previous = NULL;
	return !vm->policies.previous || whole == vm->policies.previous;
}

/* Under the lock. */
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
 * What was in force before is not to be taken for that of another policy there. But for
 * the way back, as long as that is open.
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
