// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The filters that KVM gets for a VM, and the reasons for which it exits: those that the
 * policy needs, merged with the VMM's own.
 */
#include <errno.h>

#include "core.h"
#include "lib/judge/cr_filter.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/kvm/ioctl.h"
#include "lib/policy/policy.h"
#include "vm_filters.h"

static int set_filter(int fd, const struct kvm_msr_filter *filter)
{
	int ret = kvm_ioctl(fd, KVM_X86_SET_MSR_FILTER, (void *)filter);

	return ret ? -errno : 0;
}

static int set_mask(int fd, uint64_t mask)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { mask } };

	return kvm_ioctl(fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

/* The reasons that a policy needs: UNKNOWN and INVAL only if it has such rules. */
static uint64_t reasons_of(const struct regpin_policy *policy)
{
	uint64_t reasons = KVM_MSR_EXIT_REASON_FILTER;

	if (policy_wide(policy, RULE_UNKNOWN))
		reasons |= KVM_MSR_EXIT_REASON_UNKNOWN;
	if (policy_wide(policy, RULE_INVALID))
		reasons |= KVM_MSR_EXIT_REASON_INVAL;
	return reasons;
}

/* Makes KVM exit for the VMM's reasons and for @reasons. */
static int set_reasons(struct regpin_vm *vm, uint64_t reasons)
{
	int err = 0;

	if (reasons != vm->filters.reasons)
		err = set_mask(vm->fd, atomic_load(&vm->filters.vmm_mask) | reasons);
	if (!err)
		vm->filters.reasons = reasons;
	return err;
}

void vm_choose_filters(struct regpin_vm *vm, const struct regpin_policy *policy)
{
	const struct host *host = &vm->host;

	/* Once KVM has had the filter, an exit of it may always be pending. */
	vm->filters.msrs_wanted = host->msr_filter && host->msr_exits &&
			 (filter_needed(policy) || vm->filters.msrs_wanted);
	vm->filters.crs_wanted = host->cr_filter && vm->filters.msrs_wanted &&
			cr_filter_needed(policy);
	vm->polled = !host->cr_filter && vm->filters.msrs_wanted &&
		      policy->settings.detect_ms && cr_filter_detects(policy);
}

int vm_build_filter(struct regpin_vm *vm, const struct regpin_policy *policy,
		 struct msr_filter *out)
{
	struct msr_filter *vmm = atomic_load(&vm->filters.vmm);

	return filter_build(policy, vmm ? &vmm->filter : NULL, out);
}

/*
 * The reasons are set before the filter: with the filter alone, KVM would inject #GP
 * itself. The previous policy's reasons stay until its filter is replaced: otherwise an
 * access that the old filter denies would get a #GP that no event reports.
 */
int vm_set_msr_filter(struct regpin_vm *vm)
{
	uint64_t reasons = reasons_of(vm->policies.now);
	int err = set_reasons(vm, vm->filters.reasons | reasons);

	if (!err)
		err = vm_build_filter(vm, vm->policies.now,
				      &vm->filters.merged);
	if (!err)
		err = set_filter(vm->fd, &vm->filters.merged.filter);
	return err ? err : set_reasons(vm, reasons);
}

/*
 * Sets the VMM's filter, merged with the policy's. If no policy has needed a filter yet,
 * KVM gets the VMM's alone. Caller holds the VM lock.
 */
static int replace_filter(struct regpin_vm *vm,
			  const struct kvm_msr_filter *filter)
{
	struct msr_filter *copy = &vm->filters.copies[vm->filters.vmm == &vm->filters.copies[0]];
	int ret = filter_copy(copy, filter);

	if (!ret && vm->filters.msrs_wanted)
		ret = filter_build(vm->policies.now, &copy->filter, &vm->filters.merged);
	if (ret == -E2BIG)
		vm->filters.overflow = vm->filters.merged.overflow;
	/* During a swap, this may be the first filter of the new policy. */
	if (!ret && vm->filters.msrs_wanted)
		ret = set_reasons(vm, vm->filters.reasons | reasons_of(vm->policies.now));
	if (!ret)
		ret = set_filter(vm->fd, vm->filters.msrs_wanted ?
						 &vm->filters.merged.filter :
						 &copy->filter);
	/* Exits are judged by the new filter only when KVM has it. */
	if (!ret)
		atomic_store(&vm->filters.vmm, copy);
	return ret;
}

/* Reports the first range that did not fit; the VM's overflow has all of them. */
static void refuse_filter(struct regpin_vm *vm)
{
	const struct overflow_range *first = &vm->filters.overflow.list[0];
	struct regpin_event event = {
		.type = REGPIN_EVENT_REFUSED,
		.rule = REGPIN_NO_RULE,
		.detail = REGPIN_REFUSED_FILTER,
		.index = first->base,
		.value = first->nmsrs,
		.bits = first->flags,
		.new_value = vm->filters.overflow.nr - 1 + vm->filters.overflow.more,
	};

	vm_send_event(vm, NULL, &event);
}

int regpin_vm_overflow(struct regpin_vm *vm, char *text, size_t size)
{
	struct overflow overflow;

	vm_lock(vm);
	overflow = vm->filters.overflow;
	vm_unlock(vm);
	if (!overflow.nr || !size)
		return -ENOENT;
	overflow_text(text, size, &overflow);
	return 0;
}

int regpin_vm_set_msr_filter(struct regpin_vm *vm,
			     const struct kvm_msr_filter *filter)
{
	int ret;

	vm_get_policy(vm);
	vm_lock(vm);
	ret = replace_filter(vm, filter);
	vm_unlock(vm);
	vm_put_policy(vm);
	if (ret == -E2BIG)
		refuse_filter(vm);
	return ret;
}

int regpin_vm_set_user_msr(struct regpin_vm *vm, __u64 mask)
{
	int ret;

	vm_lock(vm);
	ret = set_mask(vm->fd, mask | vm->filters.reasons);
	if (!ret)
		atomic_store(&vm->filters.vmm_mask, mask);
	vm_unlock(vm);
	return ret;
}

int vm_refilter_locked(struct regpin_vm *vm)
{
	const struct regpin_policy *policy = vm->policies.now;
	int err = 0;

	vm_choose_filters(vm, policy);
	if (vm->filters.msrs_wanted)
		err = vm_set_msr_filter(vm);
	if (!err && !vm->filters.crs_wanted)
		err = vm_clear_cr_filter_locked(vm);
	else if (!err &&
		 (atomic_exchange(&vm->filters.crs_set, false) ||
		  vm_is_armed_locked(vm) || policy->arming == ARM_START))
		err = vm_set_cr_filter_locked(vm);
	return err;
}

int vm_set_cr_filter_locked(struct regpin_vm *vm)
{
	struct kvm_x86_cr_filter filter;

	if (!vm->filters.crs_wanted || atomic_load(&vm->filters.crs_set))
		return 0;
	cr_filter_build(vm->policies.now, vm->host.filterable, &filter);
	if (kvm_ioctl(vm->fd, KVM_X86_SET_CR_FILTER, &filter))
		return -errno;
	atomic_store(&vm->filters.crs_set, true);
	atomic_store(&vm->filters.crs_ever_set, true);
	return 0;
}

int vm_set_cr_filter(struct regpin_vm *vm)
{
	int ret;

	if (!vm->filters.crs_wanted || atomic_load(&vm->filters.crs_set))
		return 0;
	vm_lock(vm);
	ret = vm_set_cr_filter_locked(vm);
	vm_unlock(vm);
	return ret;
}

int vm_clear_cr_filter_locked(struct regpin_vm *vm)
{
	struct kvm_x86_cr_filter none = { 0 };

	if (!atomic_exchange(&vm->filters.crs_set, false))
		return 0;
	return kvm_ioctl(vm->fd, KVM_X86_SET_CR_FILTER, &none) ? -errno : 0;
}
