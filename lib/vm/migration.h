/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notes what the VMM reads from its VM and writes to it: a state that was taken out
 * (saved or migrated) as a whole may continue on another host.
 */
#ifndef REGPIN_LIB_MIGRATION_H
#define REGPIN_LIB_MIGRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "state.h"

struct kvm_msrs;
struct kvm_regs;
struct regpin_vcpu;
struct regpin_vm;

/* From now on, fingerprints of @vm's state are written to @seen. NULL: nowhere. */
void migration_set_seen(struct regpin_vm *vm, struct state_seen *seen);

/*
 * The VMM has done one of these: read a vCPU's registers (KVM_GET_REGS), written them
 * (KVM_SET_REGS), read or written @nr MSRs, written other registers, set a memory slot.
 * After a write of MSRs or other registers, call regpin_vcpu_after_write() first. Each
 * returns true if @taken or @loaded of struct state_seen has changed, and keeps errno.
 */
bool migration_note_read(struct regpin_vcpu *vcpu, const struct kvm_regs *regs);
bool migration_note_written(struct regpin_vcpu *vcpu,
			    const struct kvm_regs *regs);
bool migration_note_read_msrs(struct regpin_vcpu *vcpu,
			      const struct kvm_msrs *msrs, unsigned int nr);
bool migration_note_written_msrs(struct regpin_vcpu *vcpu,
				 const struct kvm_msrs *msrs, unsigned int nr);
bool migration_note_load(struct regpin_vm *vm);
bool migration_note_slot(struct regpin_vm *vm, uint32_t slot, uint32_t flags,
			 uint64_t size);

/* The vCPU enters, so the registers that were read are no longer its registers. */
void migration_note_entry(struct regpin_vcpu *vcpu);

#endif
