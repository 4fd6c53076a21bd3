// SPDX-License-Identifier: LGPL-2.1-or-later
/* A VM under a policy: attach and detach, forwarded hypercalls, memory for SMM. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "accept.h"
#include "confidential.h"
#include "core.h"
#include "in_force.h"
#include "lib/kvm/host.h"
#include "lib/kvm/ioctl.h"
#include "lib/kvm/pages.h"
#include "lib/kvm/uapi.h"
#include "options.h"
#include "policies.h"
#include "vm.h"
#include "vm_filters.h"

static uint32_t first_gate(const struct regpin_policy *policy)
{
	return policy->arming == ARM_REQUEST || policy->arming == ARM_OPERATOR ?
		       GATE_CLOSED : GATE_OPEN;
}

static int set_forwarded_hypercalls(int fd, uint64_t mask)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
				      .args = { mask } };

	return kvm_ioctl(fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

/* Does the guest ask for its pins by a hypercall, which this KVM can forward? */
static bool wants_hypercall(const struct regpin_vm *vm)
{
	const struct regpin_policy *policy = vm->policies.now;
	int mask;

	if (policy->arming != ARM_REQUEST)
		return false;
	mask = kvm_ioctl(vm->fd, KVM_CHECK_EXTENSION,
			 (void *)(uintptr_t)KVM_CAP_EXIT_HYPERCALL);
	return mask > 0 && mask & 1 << HC_LOCK_CR_UPDATE;
}

int regpin_vm_set_hypercalls(struct regpin_vm *vm, __u64 mask)
{
	/*
	 * Once a policy has had the hypercall forwarded, it stays forwarded, even under
	 * another policy.
	 */
	bool forwards = (wants_hypercall(vm) ||
			 atomic_load(&vm->filters.hypercalls_forwarded)) &&
			!(mask & 1 << HC_LOCK_CR_UPDATE);
	int ret = set_forwarded_hypercalls(
		vm->fd, forwards ? mask | 1 << HC_LOCK_CR_UPDATE : mask);

	if (!ret)
		atomic_store(&vm->filters.hypercalls_forwarded, forwards);
	return ret;
}

static int install_filters(struct regpin_vm *vm)
{
	int err = 0;

	if (vm->filters.msrs_wanted)
		err = vm_set_msr_filter(vm);
	if (!err && wants_hypercall(vm))
		err = regpin_vm_set_hypercalls(vm, 0);
	if (!err && vm->policies.now->arming == ARM_START)
		err = vm_set_cr_filter(vm);
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
	vm->policies.whole = policy;
	err = in_force_resolve(vm, policy, 0, &in_force);
	if (err) {
		pages_free(vm, sizeof(*vm));
		return err;
	}
	vm->policies.now = in_force;
	vm->policies.number = policy->number;
	vm->fd = vm_fd;
	if (options)
		vm->options = *options;
	vm->host = *host;
	vm->gate.state = first_gate(policy);
	vm->gate.cause = REGPIN_BY_SYSCALL_ENTRY;
	vm_choose_filters(vm, in_force);
	err = vm_check_host(policy, &vm->host);
	if (!err)
		err = install_filters(vm);
	if (err) {
		regpin_vm_detach(vm);
		return err;
	}
	vm_send_event(vm, NULL, &event);
	vm_report_tolerated(vm);
	*ret = vm;
	return 0;
}

int regpin_vm_attach(const struct regpin_policy *policy, int kvm_fd, int vm_fd,
		     const struct regpin_vm_options *options,
		     struct regpin_vm **ret)
{
	struct regpin_vm_options known;
	struct host host;
	int err = options ? options_read(&known, options) : 0;

	if (err)
		return err;
	host_probe_fd(&host, kvm_fd);
	if (vm_is_confidential(vm_fd))
		return -EPERM;
	return vm_attach(policy, &host, vm_fd, options ? &known : NULL, ret);
}

void regpin_vm_detach(struct regpin_vm *vm)
{
	for (int i = 0; vm && i < 2; i++)
		pages_free(vm->policies.rooms[i], sizeof(struct in_force));
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
	/* Under the same lock, so that a policy that refuses SMM cannot be set meanwhile. */
	if (accepted & (POLICY_ACCEPT_SMM | POLICY_ONLY_REPORTS))
		vm->limits.smm = true;
	vm_unlock(vm);
	return vm_allow_or_refuse(vm, NULL, accepted, REGPIN_REFUSED_SMM);
}
