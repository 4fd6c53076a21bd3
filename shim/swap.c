// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Another policy for all VMs of this process.
 *
 * Theory of operation: each VM is asked first whether it can have the policy. Then all get
 * it, and judge by it from then on; when each vCPU has looked, KVM gets the filters. A VM
 * that fails meanwhile, which a change by the VMM can bring about, takes the others back
 * to what they had. A policy is freed when no vCPU can be judging by it any more.
 */
#include <errno.h>
#include <string.h>

#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/vm/embed.h"
#include "lib/vm/policies.h"
#include "session.h"
#include "swap.h"

#ifndef POLICY_MS
#define POLICY_MS	20000	/* the agent waits a little longer than LOOK_MS and this */
#endif
#define MAX_RETIRED	16	/* policies of 0.8 MB each */

/**
 * struct swap - the policies that came by swaps
 * @policy: the last one that is in force
 * @retired: those that are not the session's, but may still be some VM's
 * @had: by slot: what the VM had before the swap that is going on; NULL: it was not given
 *	another one
 */
static struct {
	struct regpin_policy *policy;
	struct regpin_policy *retired[MAX_RETIRED];
	const struct regpin_policy *previous[STATUS_VMS];
} swap;

/*
 * Is it any VM's, or may a vCPU that has not looked since still judge by it? VMs that the
 * VMM has closed count as long as they have vCPUs: these may be open.
 */
static bool in_use(const struct vm_list *list, const struct regpin_policy *policy)
{
	for (struct regpin_vm *vm = list->all; vm; vm = *vm_older(vm))
		if (vm_keeps_policy(vm, policy))
			return true;
	return false;
}

/*
 * Frees the policies that no VM has any more. regpin_vm_policy_done() has forgotten a
 * VM's previous policy if all vCPUs had looked; vm_forget_previous() does it for those that were
 * late.
 */
static void free_unused_policies(struct vm_list *list)
{
	for (struct regpin_vm *vm = list->all; vm; vm = *vm_older(vm))
		vm_forget_previous(vm);
	for (int i = 0; i < MAX_RETIRED; i++) {
		if (!swap.retired[i] || in_use(list, swap.retired[i]))
			continue;
		regpin_policy_free(swap.retired[i]);
		swap.retired[i] = NULL;
	}
}

/* A place for a policy that retires, or NULL: then there must be no further one. */
static struct regpin_policy **room_to_retire(void)
{
	for (int i = 0; i < MAX_RETIRED; i++)
		if (!swap.retired[i])
			return &swap.retired[i];
	return NULL;
}

static void report_overflow(const struct regpin_vm *vm,
			    struct control_answer *answer)
{
	const struct overflow *overflow = vm_overflow(vm);
	const struct overflow_range *first = &overflow->list[0];

	answer->overflow_base = first->base;
	answer->overflow_nmsrs = first->nmsrs;
	answer->overflow_flags = first->flags | (first->vmm ? OVERFLOW_VMM : 0);
	answer->overflow_more = overflow->nr - 1 + overflow->more;
}

/* Can all VMs have the policy? If not, none must be judged by it for a moment. */
static int try_policy(const struct vm_list *list,
		      const struct regpin_policy *policy,
		      struct control_answer *answer)
{
	int ret = 0;

	for (unsigned int i = 0; i < STATUS_VMS && !ret; i++) {
		struct regpin_vm *vm = list->slots[i].vm;

		if (!vm)
			continue;
		ret = vm_try_policy(vm, policy);
		if (ret == -E2BIG)
			report_overflow(vm, answer);
	}
	return ret;
}

/*
 * vCPUs look soon at what CPUID, an alert or a late swap has changed; until then a VM
 * refuses a further policy. All VMs together have LOOK_MS for it.
 */
static void wait_for_all(const struct vm_list *list)
{
	uint64_t end = vm_list_now_ms() + LOOK_MS;

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		uint64_t now = vm_list_now_ms();

		if (list->slots[i].vm)
			vm_list_wait(list->slots[i].vm,
				     now < end ? (uint32_t)(end - now) : 0);
	}
}

/*
 * Gives the policy to all VMs. Returns 0; or -errno of the first one that could not have
 * it, after which roll_back() is due.
 */
static int give_all(const struct vm_list *list,
		    const struct regpin_policy *policy,
		    struct control_answer *answer)
{
	int ret = 0;

	memset(swap.previous, 0, sizeof(swap.previous));
	for (unsigned int i = 0; i < STATUS_VMS && !ret; i++) {
		struct regpin_vm *vm = list->slots[i].vm;
		const struct regpin_policy *previous;

		if (!vm)
			continue;
		previous = vm_whole_policy(vm);
		ret = regpin_vm_set_policy(vm, policy);
		if (!ret)
			swap.previous[i] = previous;
		if (ret == -E2BIG)
			report_overflow(vm, answer);
	}
	return ret;
}

/*
 * Gives each VM what it had, in the same way. Where that is not possible, as the VMM has
 * set a filter meanwhile that only the new policy leaves room for, the new one stays.
 */
static int roll_back(const struct vm_list *list)
{
	int ret = 0;

	for (unsigned int i = 0; i < STATUS_VMS; i++)
		if (swap.previous[i] &&
		    regpin_vm_set_policy(list->slots[i].vm, swap.previous[i]))
			ret = -ESTALE;
	return ret;
}

/* KVM gets the filters of the VMs that were given another policy. */
static int finish_all(const struct vm_list *list, bool *late)
{
	int ret = 0;

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		struct regpin_vm *vm = list->slots[i].vm;

		if (!vm || !swap.previous[i])
			continue;
		*late |= vm_list_wait(vm, POLICY_MS) != 0;
		ret = regpin_vm_policy_done(vm) ? -ENOTRECOVERABLE : ret;
	}
	return ret;
}

static int load_policy(const struct control *orders, uint32_t number,
		       struct regpin_policy **policy)
{
	/* It is shared: read once. */
	const uint32_t size = orders->blob_size;
	int ret = size <= BLOB_MAX_SIZE ?
		regpin_policy_load(orders->blob, size, policy) : -EINVAL;

	if (!ret && (*policy)->number != number) {
		regpin_policy_free(*policy);
		ret = -EINVAL;
	}
	return ret;
}

/*
 * Only if a VMM sets another filter at this very moment, the VMs that have the policy
 * already must go back. If KVM refuses its filters afterwards, that VM is stopped: the new
 * policy is in force nevertheless, and judges what the old filter still shows.
 */
int swap_policy(struct vm_list *list, const struct control *orders,
		uint32_t number, struct control_answer *answer)
{
	struct regpin_policy *policy, **retired;
	bool late = false;
	int ret, back, done;

	wait_for_all(list);
	free_unused_policies(list);
	retired = room_to_retire();
	if (!retired)
		return -EBUSY;
	ret = load_policy(orders, number, &policy);
	if (ret)
		return ret;
	ret = try_policy(list, policy, answer);
	if (ret) {
		regpin_policy_free(policy);
		return ret;
	}
	ret = give_all(list, policy, answer);
	back = ret ? roll_back(list) : 0;
	*retired = ret ? policy : swap.policy;
	if (!ret) {
		session_set_policy(policy);
		swap.policy = policy;
	}
	done = finish_all(list, &late);
	free_unused_policies(list);
	if (ret)
		return back ? back : ret;
	return done ? done : late ? -ETIMEDOUT : 0;
}

void swap_reset(void)
{
	memset(&swap, 0, sizeof(swap));
}
