// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The swap of the policy of all VMs of this process.
 *
 * Theory of operation: each VM is asked first whether it can have the policy. Then all
 * VMs get it, and judge by it from then on; when each vCPU has looked at itself (has
 * compared its state with its VM's), KVM gets the filters. If a VM fails meanwhile,
 * because its VMM has changed a filter, the others are rolled back. A policy is freed
 * when no vCPU can judge by it any more.
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
#define MAX_RETIRED	16	/* a policy takes 0.8 MB */

/**
 * struct swap - the policies that were put in force by swaps
 * @policy: the policy of the last swap that succeeded
 * @retired: policies that new VMs no longer get, but that a VM may still have
 * @previous: for each slot: the policy that its VM had before the current swap; NULL: the
 *	VM does not have the new one
 */
static struct {
	struct regpin_policy *policy;
	struct regpin_policy *retired[MAX_RETIRED];
	const struct regpin_policy *previous[STATUS_VMS];
} swap;

/*
 * Does a VM have the policy, or may a vCPU that has not looked since the swap still judge
 * by it? VMs that the VMM has closed count as long as they have vCPUs, which may still be
 * open.
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
 * VM's previous policy if all vCPUs had looked; vm_forget_previous() does it where vCPUs
 * were late.
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

/* A free entry for a retired policy. NULL: there must be no further swap now. */
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

/* Can all VMs have the policy? This is checked first, so that either all get it or none. */
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
 * Waits until all vCPUs have looked at earlier changes (CPUID, an alert, a late swap):
 * until then a VM refuses a further policy. Waits LOOK_MS for all VMs together.
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
 * Gives the policy to all VMs. Returns 0, or -errno of the first VM that could not have
 * it; the caller must roll back then.
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
 * Gives each VM its previous policy again. If a VMM has meanwhile set a filter for which
 * only the new policy leaves room, its VM keeps the new policy, and the function returns
 * -ESTALE.
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

/* Gives KVM the filters of each VM that got another policy, once its vCPUs have looked. */
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
	/* Read shared memory only once. */
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
 * The VMs are rolled back only if a VMM sets another filter between try_policy() and
 * give_all(). If KVM refuses filters afterwards, that VM is stopped: the new policy stays
 * in force, and judges the accesses that the old filter still shows.
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
