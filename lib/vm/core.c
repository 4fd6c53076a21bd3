// SPDX-License-Identifier: LGPL-2.1-or-later
/* The basic functions on a VM: lock, list of vCPUs, events, alerts, stopping. */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core.h"
#include "types.h"

void vm_send_event(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
		   struct regpin_event *event)
{
	struct timespec now;

	if (!vm->options.event)
		return;
	event->vm = vm->options.vm;
	/* For rule events the caller has set ->policy. */
	if (event->rule == REGPIN_NO_RULE)
		event->policy = atomic_load(&vm->policies.number);
	event->vcpu = vcpu ? vcpu->id : REGPIN_NO_VCPU;
	clock_gettime(CLOCK_REALTIME, &now);
	event->time = (uint64_t)now.tv_sec * 1000000000u +
		      (uint64_t)now.tv_nsec;
	vm->options.event(vm->options.context, event);
}

uint32_t vm_rule_number(struct regpin_vm *vm,
			const struct regpin_policy *policy,
			const struct rule *rule)
{
	uint32_t number = (uint32_t)(rule - policy->rules);

	for (int i = 0; i < 2; i++) {
		const struct in_force *room = atomic_load(&vm->policies.rooms[i]);

		if (room && &room->policy == policy)
			return room->numbers[number];
	}
	return number;
}

int vm_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      enum regpin_refusal reason)
{
	struct regpin_event event = { .type = REGPIN_EVENT_REFUSED,
				      .rule = REGPIN_NO_RULE,
				      .detail = reason };

	vm_send_event(vm, vcpu, &event);
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

/*
 * Makes sure that a vCPU of a stopped VM reports the stop, if the VM has any vCPU. Caller
 * holds the VM lock.
 */
static void choose_stop_reporter_locked(struct regpin_vm *vm)
{
	struct regpin_vcpu *vcpu;

	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		if (vcpu->end.reports_stop)
			return;
	if (vm->vcpus && atomic_load(&vm->stopped))
		vm->vcpus->end.reports_stop = true;
}

void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu)
{
	vm_lock(vm);
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	choose_stop_reporter_locked(vm);
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
	if (vcpu->vm->values.first == vcpu)
		vcpu->vm->values.first = NULL;
	choose_stop_reporter_locked(vcpu->vm);
	vm_unlock(vcpu->vm);
}

bool vm_is_armed_locked(struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	bool armed = false;
	int err = errno;

	for (vcpu = vm->vcpus; vcpu && !armed; vcpu = vcpu->next)
		armed = phase_counts(vcpu->life.phase) &&
			vcpu->life.vm_life == atomic_load(&vm->gate.life) &&
			!syscall(SYS_tgkill, getpid(), vcpu->wake.thread, 0);
	errno = err;
	return armed;
}

bool vm_is_armed(struct regpin_vm *vm)
{
	bool armed;

	vm_lock(vm);
	armed = vm_is_armed_locked(vm);
	vm_unlock(vm);
	return armed;
}

const struct regpin_policy *vm_get_policy(struct regpin_vm *vm)
{
	atomic_fetch_add(&vm->policies.users, 1);
	return vm->policies.now;
}

void vm_put_policy(struct regpin_vm *vm)
{
	atomic_fetch_sub(&vm->policies.users, 1);
}

void vcpu_kick(struct regpin_vcpu *vcpu)
{
	const struct regpin_vm_options *options = &vcpu->vm->options;

	if (options->kick)
		options->kick(options->context, vcpu);
}

void vm_alert_locked(struct regpin_vm *vm)
{
	struct regpin_vcpu *vcpu;

	atomic_fetch_add(&vm->epoch, 1);
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		vcpu_alert(vcpu);
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		if (atomic_load(&vcpu->wake.inside))
			vcpu_kick(vcpu);
}

void vm_alert(struct regpin_vm *vm)
{
	vm_lock(vm);
	vm_alert_locked(vm);
	vm_unlock(vm);
}

bool vm_all_looked_locked(struct regpin_vm *vm)
{
	struct regpin_vcpu *vcpu;
	bool settled = true;

	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next) {
		if (!atomic_load(&vcpu->wake.inside) ||
		    atomic_load(&vcpu->wake.epoch) == atomic_load(&vm->epoch))
			continue;
		settled = false;
		vcpu_kick(vcpu);
	}
	return settled && !atomic_load(&vm->policies.users);
}

void vm_stop(struct regpin_vm *vm, struct regpin_vcpu *vcpu)
{
	/*
	 * One vCPU must report the stop to the VMM. If there is none yet, vm_add_vcpu()
	 * chooses the first one.
	 */
	vm_lock(vm);
	if (!vcpu)
		vcpu = vm->vcpus;
	if (vcpu)
		vcpu->end.reports_stop = true;
	if (!atomic_exchange(&vm->stopped, true))
		vm_alert_locked(vm);
	vm_unlock(vm);
}

void vm_stop_with_event(struct regpin_vcpu *vcpu,
			const struct regpin_event *event, int err)
{
	struct regpin_event failed = *event;

	failed.type = REGPIN_EVENT_FAILED;
	failed.action = REGPIN_STOP;
	failed.detail = (uint32_t)-err;
	vm_send_event(vcpu->vm, vcpu, &failed);
	vm_stop(vcpu->vm, vcpu);
}

void vm_stop_for_register(struct regpin_vcpu *vcpu, unsigned int kind,
			  uint32_t index, int err)
{
	const struct regpin_event event = {
		.kind = (uint8_t)kind, .index = index, .write = 1,
		.rule = REGPIN_NO_RULE,
	};

	vm_stop_with_event(vcpu, &event, err);
}

bool vm_is_set_up(const struct regpin_vm *vm)
{
	return atomic_load(&vm->values.settled) == UNIFORM_SETTLED &&
	       atomic_load(&vm->gate.state) == GATE_OPEN;
}
