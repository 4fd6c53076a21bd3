/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the VMM has read out of its VM, and written into it: a state that is taken out
 * as a whole may go on elsewhere.
 */
#ifndef REGPIN_LIB_STATE_H
#define REGPIN_LIB_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm_msrs;
struct kvm_regs;
struct regpin_vcpu;
struct regpin_vm;

/**
 * struct state_print - a fingerprint of a VM's state, the same wherever that is
 * @regs: of all vCPUs' struct kvm_regs; 0: there is no state
 * @clock: of their TSCs; 0: the VMM does not have those of all vCPUs. VMs that were
 *	cloned may idle with the same registers, but not at the same time
 */
struct state_print {
	_Atomic uint64_t regs, clock;
};

/**
 * struct state_seen - what was seen of a VM's state
 * @taken: the one that was taken out of an armed VM, none of whose vCPUs has run
 *	since; else none
 * @loaded: the last one that was loaded, and pinned
 */
struct state_seen {
	struct state_print taken, loaded;
};

/* From now on what is seen of @vm is there, as long as that is so. NULL: nowhere. */
void state_show(struct regpin_vm *vm, struct state_seen *seen);

/*
 * The VMM has read a vCPU's registers (KVM_GET_REGS), has written them (KVM_SET_REGS),
 * has read or written @nr MSRs, has written other registers (both of them behind
 * regpin_vcpu_after_write()), and has set a memory slot. They return true if @taken or
 * @loaded is new. errno stays.
 */
bool state_read(struct regpin_vcpu *vcpu, const struct kvm_regs *regs);
bool state_written(struct regpin_vcpu *vcpu, const struct kvm_regs *regs);
bool state_read_msrs(struct regpin_vcpu *vcpu, const struct kvm_msrs *msrs,
		     unsigned int nr);
bool state_written_msrs(struct regpin_vcpu *vcpu, const struct kvm_msrs *msrs,
			unsigned int nr);
bool state_loaded(struct regpin_vm *vm);
bool state_slot(struct regpin_vm *vm, uint32_t slot, uint32_t flags,
		uint64_t size);

/* The vCPU enters: what was read of it is not what it is any more. */
void state_entered(struct regpin_vcpu *vcpu);

#endif
