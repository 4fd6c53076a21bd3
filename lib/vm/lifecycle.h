/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the pins of a vCPU hold: arming, the end of its set-up, reset, load. */
#ifndef REGPIN_LIB_LIFECYCLE_H
#define REGPIN_LIB_LIFECYCLE_H

#include "lib/kvm/regs.h"
#include "phase.h"
#include "types.h"
#include "vmm_write.h"

/*
 * Gives @event to the table in phase.c and sets the vCPU's next phase. Returns the step,
 * whose actions the caller carries out. @moment may be NULL where the table asks nothing.
 */
struct phase_step lifecycle_step(struct regpin_vcpu *vcpu, enum happening event,
				 const struct phase_moment *moment);

/* The same for the table in vmm_write.c. Returns the action. */
enum vmm_act lifecycle_step_vmm(struct regpin_vcpu *vcpu, enum vmm_event event,
				const struct vmm_moment *moment);

/* The conditions of the table that depend on the VM; the caller adds those of the vCPU. */
struct phase_moment lifecycle_get_moment(struct regpin_vm *vm);

/* Disarms the vCPU if its pins are void. Call it before any other event of the vCPU. */
void lifecycle_catch_up(struct regpin_vcpu *vcpu);

/* The guest's write of @value to MSR @index was performed. */
void lifecycle_note_write(struct regpin_vcpu *vcpu, uint32_t index,
			  uint64_t value);

/* Arms the vCPU: its pins hold from now on. */
void lifecycle_arm(struct regpin_vcpu *vcpu, enum regpin_cause cause);

/* The guest asks for its pins, as `arming: request` lets it. */
void lifecycle_request(struct regpin_vcpu *vcpu);

/* Notes that @thread enters the vCPU from now on. */
void lifecycle_set_thread(struct regpin_vcpu *vcpu, int thread);

/*
 * Ends the set-up of a vCPU that has taken longer than @ms: it counts as finished, with the
 * values that the registers hold, and an event reports it.
 */
void lifecycle_end_setup(struct regpin_vcpu *vcpu, uint32_t ms);

/* Gives @event to the table in gate.c, and carries out the step. */
void lifecycle_step_gate(struct regpin_vm *vm, enum gate_event event);

/* The vCPU is being detached: it no longer keeps its VM armed. */
void lifecycle_drop_vcpu(struct regpin_vcpu *vcpu);

/*
 * Looks at the vCPU before it enters: arms it if its registers have a kernel's entry
 * point, or disarms it if its pins are void. Returns false if the registers cannot be read
 * yet.
 */
bool lifecycle_refresh(struct regpin_vcpu *vcpu, enum regpin_cause cause);

/* The VMM has written registers of a vCPU that was not armed, or that is being loaded. */
void lifecycle_note_load(struct regpin_vcpu *vcpu);

/* If the VMM's write was a reset, disarms the vCPU and returns true. */
bool lifecycle_handle_reset(struct regpin_vcpu *vcpu,
			    const struct snapshot *before,
			    const struct snapshot *after);

#endif
