// SPDX-License-Identifier: LGPL-2.1-or-later
/* A VM under a policy: its filter, the VMM's own filter, what it must not have. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/kvm/host.h"
#include "vm.h"

void vm_event(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      struct regpin_event *event)
{
	struct timespec now;

	if (!vm->options.event)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	event->time = (uint64_t)now.tv_sec * 1000000000u +
		      (uint64_t)now.tv_nsec;
	event->vm = vm->options.vm;
	/* Who found a rule violated knows of which policy it is. */
	if (event->rule == REGPIN_NO_RULE)
		event->policy = atomic_load(&vm->swaps);
	event->vcpu = vcpu ? vcpu->id : REGPIN_NO_VCPU;
	vm->options.event(vm->options.context, event);
}

uint8_t vm_policy_number(struct regpin_vm *vm,
			 const struct regpin_policy *policy)
{
	for (int i = 0; i < 2; i++)
		if (atomic_load(&vm->numbered[i].policy) == policy)
			return atomic_load(&vm->numbered[i].number);
	return atomic_load(&vm->swaps);
}

int vm_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      enum regpin_refusal reason)
{
	struct regpin_event event = { .type = REGPIN_EVENT_REFUSED,
				      .rule = REGPIN_NO_RULE,
				      .detail = reason };

	vm_event(vm, vcpu, &event);
	return -EPERM;
}

void vm_lock(struct regpin_vm *vm)
{
	while (atomic_flag_test_and_set_explicit(&vm->lock,
						 memory_order_acquire))
		__builtin_ia32_pause();
}

void vm_unlock(struct regpin_vm *vm)
{
	atomic_flag_clear_explicit(&vm->lock, memory_order_release);
}

/* That a VM is stopped one of its vCPUs must tell, as long as it has any. */
static void find_crasher(struct regpin_vm *vm)
{
	struct regpin_vcpu *vcpu;

	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		if (vcpu->crasher)
			return;
	if (vm->vcpus && atomic_load(&vm->stopped))
		vm->vcpus->crasher = true;
}

void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu)
{
	vm_lock(vm);
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	find_crasher(vm);
	vm_unlock(vm);
}

void vm_del_vcpu(struct regpin_vcpu *vcpu)
{
	_Atomic(struct regpin_vcpu *) *at = &vcpu->vm->vcpus;
	struct regpin_vcpu *other;

	vm_lock(vcpu->vm);
	while ((other = *at) && other != vcpu)
		at = &other->next;
	if (other)
		*at = vcpu->next;
	if (vcpu->vm->first == vcpu)
		vcpu->vm->first = NULL;
	find_crasher(vcpu->vm);
	vm_unlock(vcpu->vm);
}

bool vm_armed_locked(struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	bool armed = false;
	int err = errno;

	for (vcpu = vm->vcpus; vcpu && !armed; vcpu = vcpu->next)
		armed = (vcpu->armed || vcpu->kept) &&
			vcpu->life == atomic_load(&vm->life) &&
			!syscall(SYS_tgkill, getpid(), vcpu->thread, 0);
	errno = err;
	return armed;
}

bool vm_armed(struct regpin_vm *vm)
{
	bool armed;

	vm_lock(vm);
	armed = vm_armed_locked(vm);
	vm_unlock(vm);
	return armed;
}

/*
 * A rule that this host can't enforce stops the start, unless it is optional or is
 * only to be looked after.
 */
static int check_host(const struct regpin_policy *policy,
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

static uint32_t first_gate(const struct regpin_policy *policy)
{
	return policy->arming == ARM_REQUEST || policy->arming == ARM_OPERATOR ?
		       GATE_CLOSED : GATE_OPEN;
}

#define HC_LOCK_CR_UPDATE	13

static int set_hypercalls(int fd, uint64_t mask)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
				      .args = { mask } };

	return kvm_ioctl(fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

/* Does the guest ask by a hypercall that this KVM forwards? */
static bool wants_hypercall(const struct regpin_vm *vm)
{
	const struct regpin_policy *policy = vm->policy;
	int mask;

	if (policy->arming != ARM_REQUEST)
		return false;
	mask = kvm_ioctl(vm->fd, KVM_CHECK_EXTENSION,
			 (void *)(uintptr_t)KVM_CAP_EXIT_HYPERCALL);
	return mask > 0 && mask & 1 << HC_LOCK_CR_UPDATE;
}

int regpin_vm_set_hypercalls(struct regpin_vm *vm, __u64 mask)
{
	/* One that is ours stays so, whatever the policy is by now. */
	bool forwards = (wants_hypercall(vm) || atomic_load(&vm->forwards)) &&
			!(mask & 1 << HC_LOCK_CR_UPDATE);
	int ret = set_hypercalls(vm->fd, forwards ?
				 mask | 1 << HC_LOCK_CR_UPDATE : mask);

	if (!ret)
		atomic_store(&vm->forwards, forwards);
	return ret;
}

static int set_up(struct regpin_vm *vm)
{
	int err = 0;

	if (vm->wants_msrs)
		err = vm_set_msrs(vm);
	if (!err && wants_hypercall(vm))
		err = regpin_vm_set_hypercalls(vm, 0);
	if (!err && vm->policy->arming == ARM_START)
		err = vm_filter_crs(vm);
	return err;
}

int vm_attach(const struct regpin_policy *policy, const struct host *host,
	      int vm_fd, const struct regpin_vm_options *options,
	      struct regpin_vm **ret)
{
	struct regpin_event event = { .type = REGPIN_EVENT_ATTACHED,
				      .rule = REGPIN_NO_RULE };
	const struct regpin_policy *in_force;
	struct regpin_vm *vm;
	int err;

	vm = pages_alloc(sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->whole = policy;
	err = vm_resolve(vm, policy, 0, &in_force);
	if (err) {
		pages_free(vm, sizeof(*vm));
		return err;
	}
	vm->policy = in_force;
	vm->numbered[0].policy = in_force;
	vm->fd = vm_fd;
	if (options)
		vm->options = *options;
	vm->host = *host;
	vm->gate = first_gate(policy);
	vm->cause = REGPIN_BY_SYSCALL_ENTRY;
	vm_want(vm, in_force);
	err = check_host(policy, &vm->host);
	if (!err)
		err = set_up(vm);
	if (err) {
		regpin_vm_detach(vm);
		return err;
	}
	vm_event(vm, NULL, &event);
	vm_say_tolerated(vm);
	*ret = vm;
	return 0;
}

int regpin_vm_attach(const struct regpin_policy *policy, int kvm_fd, int vm_fd,
		     const struct regpin_vm_options *options,
		     struct regpin_vm **ret)
{
	struct host host;

	if (options && options->size != sizeof(*options))
		return -EINVAL;
	host_probe_fd(&host, kvm_fd);
	if (vm_is_confidential(vm_fd))
		return -EPERM;
	return vm_attach(policy, &host, vm_fd, options, ret);
}

void regpin_vm_detach(struct regpin_vm *vm)
{
	for (int i = 0; vm && i < 2; i++)
		pages_free(vm->in_force[i], sizeof(struct in_force));
	pages_free(vm, sizeof(*vm));
}

int regpin_vm_check_slot(struct regpin_vm *vm, __u32 slot)
{
	uint32_t accepted;

	/* KVM_CAP_MULTI_ADDRESS_SPACE: address space 1 is SMM's. */
	if (!(slot >> 16))
		return 0;
	vm_lock(vm);
	accepted = vm_accepted_locked(vm);
	/* At once with the policy that allows it. */
	if (accepted & (POLICY_ACCEPT_SMM | POLICY_ONLY_REPORTS))
		vm->smm = true;
	vm_unlock(vm);
	return vm_may_have(vm, NULL, accepted, REGPIN_REFUSED_SMM);
}

/* Would its filter fit? Nothing may be half done. Under the lock. */
static int try_filter(struct regpin_vm *vm, const struct regpin_policy *policy)
{
	struct filter_copy *trial = pages_alloc(sizeof(*trial));
	int err = trial ? vm_build(vm, policy, trial) : -ENOMEM;

	if (err == -E2BIG)
		vm->overflow = trial->overflow;
	pages_free(trial, sizeof(*trial));
	return err;
}

/* What of @whole would be in force? Under the lock. */
static int find_policy(struct regpin_vm *vm, const struct regpin_policy *whole,
		       uint64_t *hold, const struct regpin_policy **ret)
{
	int err;

	if (!vm_accepts_locked(vm, whole))
		return -EPERM;
	*hold = vm_holds(vm, whole);
	err = vm_resolve(vm, whole, *hold, ret);
	/* On the way back the filter of before may be in place yet. */
	if (!err && whole != vm->before && vm->vcpus &&
	    lbr_comes_late(&vm->host, vm->policy, *ret))
		err = -EOPNOTSUPP;
	return err ? err : try_filter(vm, *ret);
}

/*
 * While a vCPU may judge by the policy before, that and the one in force are all that
 * there is room for, and that events can name. Only the way back is open then.
 */
static bool may_swap(struct regpin_vm *vm, const struct regpin_policy *whole)
{
	if (vm->before && vm_settled_locked(vm))
		vm->before = NULL;
	return !vm->before || whole == vm->before;
}

/* Under the lock. */
static int set_policy(struct regpin_vm *vm, const struct regpin_policy *whole)
{
	const struct regpin_policy *policy;
	struct numbered *next;
	uint64_t hold;
	int err;

	if (!may_swap(vm, whole))
		return -EBUSY;
	err = find_policy(vm, whole, &hold, &policy);
	if (err)
		return err;
	/* In place of the one before: by that nobody judges any more. */
	next = &vm->numbered[(vm->swaps + 1) & 1];
	atomic_store(&next->number, (uint8_t)(vm->swaps + 1));
	atomic_store(&next->policy, policy);
	vm->before = vm->whole;
	vm->whole = whole;
	vm->hold = hold;
	atomic_store(&vm->policy, policy);
	atomic_fetch_add(&vm->swaps, 1);
	vm_alert_locked(vm);
	return 0;
}

/*
 * What was in force before is not to be taken for that of another policy there. But for
 * the way back, as long as that is open.
 */
static void forget_room(struct regpin_vm *vm)
{
	for (int i = 0; i < 2 && !vm->before; i++) {
		struct in_force *room = vm->in_force[i];

		if (room && &room->policy != vm->policy)
			room->of = NULL;
	}
}

void vm_forget(struct regpin_vm *vm)
{
	vm_lock(vm);
	if (vm->before && vm_settled_locked(vm))
		vm->before = NULL;
	vm_unlock(vm);
}

int vm_try_policy(struct regpin_vm *vm, const struct regpin_policy *policy)
{
	const struct regpin_policy *found;
	uint64_t hold;
	int err = check_host(policy, &vm->host);

	if (err)
		return err;
	vm_lock(vm);
	err = may_swap(vm, policy) ? find_policy(vm, policy, &hold, &found) :
				     -EBUSY;
	forget_room(vm);
	vm_unlock(vm);
	return err;
}

int regpin_vm_set_policy(struct regpin_vm *vm,
			 const struct regpin_policy *policy)
{
	int err = check_host(policy, &vm->host);

	if (err)
		return err;
	vm_lock(vm);
	err = set_policy(vm, policy);
	if (err)
		forget_room(vm);
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
	vm->unfiltered = err;
	if (vm_settled_locked(vm))
		vm->before = NULL;
	forget_room(vm);
	vm_unlock(vm);
	if (err) {
		vm_stop(vm, NULL);
	} else {
		vm_event(vm, NULL, &event);
		vm_say_tolerated(vm);
	}
	/* Who can be looked after only since now has to be told. */
	vm_alert(vm);
	return err;
}
