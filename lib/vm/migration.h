/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the VMM has read out of its VM, and written into it: a state that is taken out
 * as a whole may go on elsewhere.
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

/* From now on what is seen of @vm is there, as long as that is so. NULL: nowhere. */
void migration_set_seen(struct regpin_vm *vm, struct state_seen *seen);

/*
 * The VMM has read a vCPU's registers (KVM_GET_REGS), has written them (KVM_SET_REGS),
 * has read or written @nr MSRs, has written other registers (both of them behind
 * regpin_vcpu_after_write()), and has set a memory slot. They return true if @taken or
 * @loaded is new. errno stays.
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

/* The vCPU enters: what was read of it is not what it is any more. */
void migration_note_entry(struct regpin_vcpu *vcpu);

#endif
