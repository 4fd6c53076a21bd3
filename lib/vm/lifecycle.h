/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the pins of a vCPU hold: arming, the end of the syscall set-up, the floor,
 * INIT, reset.
 */
#ifndef REGPIN_LIB_LIFECYCLE_H
#define REGPIN_LIB_LIFECYCLE_H

#include "lib/kvm/regs.h"
#include "phase.h"
#include "types.h"
#include "vmm_write.h"

/*
 * Something has happened to the vCPU: it takes the table's step, and its phase is the next
 * one. The caller carries the actions out. @moment is NULL where the table asks nothing.
 */
struct phase_step lifecycle_step(struct regpin_vcpu *vcpu, enum happening event,
				 const struct phase_moment *moment);

/* The same for the VMM's writes. Returns the action, which the caller carries out. */
enum vmm_act lifecycle_step_vmm(struct regpin_vcpu *vcpu, enum vmm_event event,
				const struct vmm_moment *moment);

/* What the table may ask of the VM; the caller adds what it may ask of the vCPU. */
struct phase_moment lifecycle_get_moment(struct regpin_vm *vm);

/* PINS_VOID, if they are. It comes before any other event of the vCPU. */
void lifecycle_catch_up(struct regpin_vcpu *vcpu);

/* The guest's write of @value to MSR @index has been performed. */
void lifecycle_note_write(struct regpin_vcpu *vcpu, uint32_t index,
			  uint64_t value);

/* Its pins hold from now on. */
void lifecycle_arm(struct regpin_vcpu *vcpu, enum regpin_cause cause);

/* The guest asks for its pins. */
void lifecycle_request(struct regpin_vcpu *vcpu);

/* Another thread enters the vCPU from now on. */
void lifecycle_set_thread(struct regpin_vcpu *vcpu, int thread);

/*
 * The vCPU's set-up takes longer than @ms: it counts as finished, with what the
 * registers hold, and an event reports it.
 */
void lifecycle_end_setup(struct regpin_vcpu *vcpu, uint32_t ms);

/* Something has happened to the VM's gate: it takes the step of the table in gate.c. */
void lifecycle_step_gate(struct regpin_vm *vm, enum gate_event event);

/* The vCPU goes away: it doesn't keep its VM armed. */
void lifecycle_drop_vcpu(struct regpin_vcpu *vcpu);

/*
 * Arms a vCPU whose state says so, or disarms it if the VM is no more. Returns false
 * if its state can't be told yet.
 */
bool lifecycle_refresh(struct regpin_vcpu *vcpu, enum regpin_cause cause);

/* The VMM wrote registers of a vCPU that was not armed, or is being loaded. */
void lifecycle_note_load(struct regpin_vcpu *vcpu);

/* Was the VMM's write a reset? If so, disarms and returns true. */
bool lifecycle_handle_reset(struct regpin_vcpu *vcpu,
			    const struct snapshot *before,
			    const struct snapshot *after);

#endif
