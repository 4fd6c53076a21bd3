// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The operator's commands to a running VM: arm, disarm, window; and its status.
 *
 * Theory of operation: the VM is changed first; then each vCPU is alerted (`attention`,
 * `epoch`) and kicked, and looks at itself on its own thread before it enters again. A
 * vCPU that is about to enter has set `inside` before it read `attention`. The callers
 * wait a millisecond, so that this store is visible, and then kick the vCPU until it has
 * looked.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core.h"
#include "lifecycle.h"
#include "vm_filters.h"

int regpin_vm_settled(struct regpin_vm *vm)
{
	bool settled;

	vm_lock(vm);
	settled = vm_all_looked_locked(vm);
	/* All vCPUs have looked, so none judges by the previous policy any more. */
	if (settled)
		vm->policies.previous = NULL;
	vm_unlock(vm);
	return settled;
}

struct regpin_vcpu *regpin_vm_vcpu(struct regpin_vm *vm, __u32 id)
{
	struct regpin_vcpu *vcpu;

	vm_lock(vm);
	for (vcpu = vm->vcpus; vcpu && vcpu->id != id; vcpu = vcpu->next)
		;
	vm_unlock(vm);
	return vcpu;
}

int regpin_vm_arm(struct regpin_vm *vm)
{
	/* Set the filter before the gate opens: vCPUs arm from then on. */
	int ret = vm_set_cr_filter(vm);

	if (ret)
		return ret;
	lifecycle_step_gate(vm, GATE_ARM);
	return 0;
}

void regpin_vm_disarm(struct regpin_vm *vm)
{
	lifecycle_step_gate(vm, GATE_DISARM);
}

void regpin_vm_window(struct regpin_vm *vm, int once)
{
	atomic_store(&vm->gate.once, once);
	lifecycle_step_gate(vm, GATE_BEGIN_WINDOW);
}

int regpin_vm_windowed(const struct regpin_vm *vm)
{
	return atomic_load(&vm->gate.state) == GATE_WINDOW;
}

static bool vm_unreached(struct regpin_vm *vm)
{
	bool unreached = atomic_load(&vm->unreached);
	const struct regpin_vcpu *vcpu;

	vm_lock(vm);
	for (vcpu = vm->vcpus; vcpu && !unreached; vcpu = vcpu->next)
		unreached = atomic_load(&vcpu->reach.why);
	vm_unlock(vm);
	return unreached;
}

unsigned int regpin_vm_status(struct regpin_vm *vm)
{
	unsigned int status = vm_is_armed(vm) ? REGPIN_IS_ARMED : 0;

	if (status && !vm_is_set_up(vm))
		status |= REGPIN_IS_SETTING_UP;
	if (regpin_vm_windowed(vm))
		status |= REGPIN_IS_WINDOWED;
	if (atomic_load(&vm->gate.state) == GATE_CLOSED)
		status |= REGPIN_IS_CLOSED;
	if (atomic_load(&vm->stopped))
		status |= REGPIN_IS_STOPPED;
	if (atomic_load(&vm->filters.crs_set))
		status |= REGPIN_IS_FILTERED;
	if (vm_unreached(vm))
		status |= REGPIN_IS_UNREACHED;
	return vm->polled ? status | REGPIN_IS_POLLED : status;
}

unsigned int regpin_vcpu_status(struct regpin_vcpu *vcpu,
				struct regpin_event *held)
{
	unsigned int phase = vcpu->life.phase, status = 0;

	/* Pins of an earlier life do not hold, even before the vCPU has dropped them. */
	if (phase_pinned(phase) &&
	    atomic_load(&vcpu->life.vm_life) ==
		    atomic_load(&vcpu->vm->gate.life))
		status |= REGPIN_IS_ARMED;
	if (phase_pinned(phase) && phase != PHASE_READY)
		status |= REGPIN_IS_SETTING_UP;
	if (phase_stale(phase))
		status |= REGPIN_IS_FRESH;
	if (atomic_load(&vcpu->reach.why) ||
	    atomic_load(&vcpu->vm->unreached))
		status |= REGPIN_IS_UNREACHED;
	vm_lock(vcpu->vm);
	if (vcpu->hold.why != HOLD_NOT &&
	    vcpu->hold.answer == REGPIN_ACTION_MAX) {
		status |= REGPIN_IS_HELD;
		if (held)
			*held = vcpu->hold.event;
	}
	vm_unlock(vcpu->vm);
	return status;
}
