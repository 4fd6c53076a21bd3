// SPDX-License-Identifier: LGPL-2.1-or-later
/* Accessors for a program that is linked with the library. */
#include "embed.h"
#include "lib/policy/policy.h"
#include "phase.h"
#include "types.h"

struct regpin_vm **vm_older(struct regpin_vm *vm)
{
	return &vm->older;
}

int vm_fd(const struct regpin_vm *vm)
{
	return vm->fd;
}

void vm_set_fd(struct regpin_vm *vm, int fd)
{
	vm->fd = fd;
}

struct regpin_vcpu *vm_first_vcpu(const struct regpin_vm *vm)
{
	return vm->vcpus;
}

struct regpin_vcpu *vcpu_next(const struct regpin_vcpu *vcpu)
{
	return vcpu->next;
}

const struct regpin_policy *vm_whole_policy(const struct regpin_vm *vm)
{
	return vm->policies.whole;
}

bool vm_keeps_policy(const struct regpin_vm *vm,
		     const struct regpin_policy *policy)
{
	return vm->policies.whole == policy || vm->policies.previous == policy;
}

const struct overflow *vm_overflow(const struct regpin_vm *vm)
{
	return &vm->filters.overflow;
}

bool vm_has_cr_filter(const struct regpin_vm *vm)
{
	return vm->filters.crs_wanted || vm->filters.crs_ever_set;
}

bool vm_set_unreached(struct regpin_vm *vm, enum regpin_unreached why)
{
	return atomic_exchange(&vm->unreached, why) != why;
}

uint32_t vcpu_id(const struct regpin_vcpu *vcpu)
{
	return vcpu->id;
}

struct regpin_vm *vcpu_vm(const struct regpin_vcpu *vcpu)
{
	return vcpu->vm;
}

struct vcpu_io *vcpu_io(struct regpin_vcpu *vcpu)
{
	return &vcpu->io;
}

bool vcpu_is_inside(const struct regpin_vcpu *vcpu)
{
	return atomic_load(&vcpu->wake.inside);
}

bool vcpu_reports_stop(const struct regpin_vcpu *vcpu)
{
	return vcpu->end.reports_stop;
}

int vcpu_runner(const struct regpin_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->wake.runner, memory_order_relaxed);
}

void vcpu_set_runner(struct regpin_vcpu *vcpu, int thread)
{
	atomic_store(&vcpu->wake.runner, thread);
}

void vcpu_request_unblock(struct regpin_vcpu *vcpu, int thread)
{
	atomic_compare_exchange_strong(&vcpu->wake.runner, &thread, -thread);
}

struct reach *vcpu_reach(struct regpin_vcpu *vcpu)
{
	return &vcpu->reach;
}

uint64_t vcpu_polled_at(const struct regpin_vcpu *vcpu, uint32_t *every_ms)
{
	*every_ms = vcpu->vm->policies.now->settings.detect_ms;
	if (!vcpu->vm->polled || !phase_pinned(vcpu->life.phase) ||
	    atomic_load(&vcpu->hold.why) != HOLD_NOT || !vcpu_is_inside(vcpu))
		return 0;
	return atomic_load(&vcpu->detect.polled_at);
}
