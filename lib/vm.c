// SPDX-License-Identifier: LGPL-2.1-or-later
/* A VM under a policy: its filter, the VMM's own filter, what it must not have. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "vm.h"

const uint32_t replay_registers[NR_REPLAY] = {
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_PAT, MSR_EFER,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
};

int replay_slot(uint32_t index)
{
	/* On each exit's way; a compiler makes a few comparisons of it. */
	switch (index) {
	case MSR_SYSENTER_CS ... MSR_SYSENTER_EIP:
		return (int)(index - MSR_SYSENTER_CS);
	case MSR_PAT:
		return 3;
	case MSR_EFER ... MSR_SFMASK:
		return (int)(index - MSR_EFER) + 4;
	default:
		return -1;
	}
}

void *pages_alloc(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void pages_free(void *pages, size_t size)
{
	if (pages)
		munmap(pages, size);
}

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
	event->vcpu = vcpu ? vcpu->id : REGPIN_NO_VCPU;
	vm->options.event(vm->options.context, event);
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

/* Spins: held for the length of two ioctls at most, and rarely taken. */
static void vm_lock(struct regpin_vm *vm)
{
	while (atomic_flag_test_and_set_explicit(&vm->lock,
						 memory_order_acquire))
		__builtin_ia32_pause();
}

static void vm_unlock(struct regpin_vm *vm)
{
	atomic_flag_clear_explicit(&vm->lock, memory_order_release);
}

void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu)
{
	vm_lock(vm);
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	vm_unlock(vm);
}

void vm_del_vcpu(struct regpin_vcpu *vcpu)
{
	struct regpin_vcpu **at = &vcpu->vm->vcpus;

	vm_lock(vcpu->vm);
	while (*at && *at != vcpu)
		at = &(*at)->next;
	if (*at)
		*at = vcpu->next;
	vm_unlock(vcpu->vm);
}

bool vm_armed(struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	bool armed = false;
	int err = errno;

	vm_lock(vm);
	for (vcpu = vm->vcpus; vcpu && !armed; vcpu = vcpu->next)
		armed = vcpu->armed &&
			!syscall(SYS_tgkill, getpid(), vcpu->thread, 0);
	vm_unlock(vm);
	errno = err;
	return armed;
}

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

static int install(struct regpin_vm *vm)
{
	int ret = filter_build(vm->policy, NULL, &vm->merged);

	return ret ? ret : set_filter(vm->fd, &vm->merged.filter);
}

/*
 * A rule that this host can't enforce stops the start, unless it is optional.
 * *@msrs: is there an MSR filter, then?
 */
static int check_host(const struct regpin_policy *policy, int kvm_fd,
		      bool *msrs)
{
	const char *why;
	struct host host;

	host_probe_fd(&host, kvm_fd);
	*msrs = host.msr_filter && host.msr_exits;
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (!(policy->rules[i].flags & RULE_OPTIONAL) &&
		    !host_enforces(&host, &policy->rules[i], &why))
			return -EOPNOTSUPP;
	return 0;
}

int regpin_vm_attach(const struct regpin_policy *policy, int kvm_fd, int vm_fd,
		     const struct regpin_vm_options *options,
		     struct regpin_vm **ret)
{
	struct regpin_event event = { .type = REGPIN_EVENT_ATTACHED,
				      .rule = REGPIN_NO_RULE };
	struct regpin_vm *vm;
	bool msrs;
	int err;

	if (options && options->size != sizeof(*options))
		return -EINVAL;
	err = check_host(policy, kvm_fd, &msrs);
	if (err)
		return err;
	vm = pages_alloc(sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->policy = policy;
	vm->fd = vm_fd;
	if (options)
		vm->options = *options;
	vm->wants_msrs = msrs && filter_needed(policy);
	if (vm->wants_msrs) {
		/* Exits before the filter: in between, KVM would #GP itself. */
		err = set_mask(vm_fd, KVM_MSR_EXIT_REASON_FILTER);
		if (!err)
			err = install(vm);
	}
	if (err) {
		pages_free(vm, sizeof(*vm));
		return err;
	}
	vm_event(vm, NULL, &event);
	*ret = vm;
	return 0;
}

void regpin_vm_detach(struct regpin_vm *vm)
{
	pages_free(vm, sizeof(*vm));
}

static int replace_filter(struct regpin_vm *vm,
			  const struct kvm_msr_filter *filter)
{
	struct filter_copy *copy = &vm->copies[vm->vmm == &vm->copies[0]];
	int ret = filter_copy(copy, filter);

	if (!ret)
		ret = filter_build(vm->policy, &copy->filter, &vm->merged);
	if (!ret)
		ret = set_filter(vm->fd, &vm->merged.filter);
	/* Only now the judging of exits may follow the new one. */
	if (!ret)
		atomic_store(&vm->vmm, copy);
	return ret;
}

int regpin_vm_set_msr_filter(struct regpin_vm *vm,
			     const struct kvm_msr_filter *filter)
{
	int ret;

	if (!vm->wants_msrs)
		return set_filter(vm->fd, filter);
	vm_lock(vm);
	ret = replace_filter(vm, filter);
	vm_unlock(vm);
	if (ret == -E2BIG)
		vm_refuse(vm, NULL, REGPIN_REFUSED_FILTER);
	return ret;
}

int regpin_vm_set_user_msr(struct regpin_vm *vm, __u64 mask)
{
	int ret;

	if (!vm->wants_msrs)
		return set_mask(vm->fd, mask);
	vm_lock(vm);
	ret = set_mask(vm->fd, mask | KVM_MSR_EXIT_REASON_FILTER);
	if (!ret)
		atomic_store(&vm->vmm_mask, mask);
	vm_unlock(vm);
	return ret;
}

int regpin_vm_check_slot(struct regpin_vm *vm, __u32 slot)
{
	/* KVM_CAP_MULTI_ADDRESS_SPACE: address space 1 is SMM's. */
	if (!(slot >> 16) || vm->policy->flags & POLICY_ACCEPT_SMM)
		return 0;
	return vm_refuse(vm, NULL, REGPIN_REFUSED_SMM);
}
