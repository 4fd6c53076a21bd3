/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accessors for a program that is linked with the library, in addition to the public API.
 * The shim uses these functions and does not touch the members behind them.
 */
#ifndef REGPIN_LIB_EMBED_H
#define REGPIN_LIB_EMBED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/overflow.h"
#include "lib/kvm/regs.h"
#include "reached.h"
#include "regpin/regpin.h"

/* The link to the next VM in a list that the caller keeps. */
struct regpin_vm **vm_older(struct regpin_vm *vm);

/* The VM's file descriptor. vm_set_fd() sets another descriptor of the same file. */
int vm_fd(const struct regpin_vm *vm);
void vm_set_fd(struct regpin_vm *vm, int fd);

/*
 * The first vCPU, and the one after @vcpu; NULL at the end. Caller makes sure that no vCPU
 * is detached meanwhile.
 */
struct regpin_vcpu *vm_first_vcpu(const struct regpin_vm *vm);
struct regpin_vcpu *vcpu_next(const struct regpin_vcpu *vcpu);

/*
 * The policy that the VM was given last. vm_keeps_policy(): is @policy that one, or the
 * previous one?
 */
const struct regpin_policy *vm_whole_policy(const struct regpin_vm *vm);
bool vm_keeps_policy(const struct regpin_vm *vm,
		     const struct regpin_policy *policy);

/* The MSR ranges for which the last filter or policy that did not fit had no room. */
const struct overflow *vm_overflow(const struct regpin_vm *vm);

/* Does the VM have the policy's CR filter, or may an exit of it still be pending? */
bool vm_has_cr_filter(const struct regpin_vm *vm);

/* Sets why no vCPU of the VM can be kicked. Returns true if that has changed. */
bool vm_set_unreached(struct regpin_vm *vm, enum regpin_unreached why);

/* The vCPU's id, its VM, its file and run page. */
uint32_t vcpu_id(const struct regpin_vcpu *vcpu);
struct regpin_vm *vcpu_vm(const struct regpin_vcpu *vcpu);
struct vcpu_io *vcpu_io(struct regpin_vcpu *vcpu);

/* May the vCPU be in KVM_RUN, or in an exit that is being judged? */
bool vcpu_is_inside(const struct regpin_vcpu *vcpu);

/* Does the exit of this vCPU report to the VMM that its VM is stopped? */
bool vcpu_reports_stop(const struct regpin_vcpu *vcpu);

/*
 * The thread that runs the vCPU, for kicks; negative if that thread must unblock the
 * signal before it enters again. vcpu_request_unblock() makes it negative if @thread still
 * runs the vCPU.
 */
int vcpu_runner(const struct regpin_vcpu *vcpu);
void vcpu_set_runner(struct regpin_vcpu *vcpu, int thread);
void vcpu_request_unblock(struct regpin_vcpu *vcpu, int thread);

/* Whether kicks reach the vCPU. The caller keeps it; the library's status includes it. */
struct reach *vcpu_reach(struct regpin_vcpu *vcpu);

/*
 * The vCPU's run time at the last poll of its control registers, in ns, and the time
 * between two polls. Returns 0 if the vCPU is not polled now.
 */
uint64_t vcpu_polled_at(const struct regpin_vcpu *vcpu, uint32_t *every_ms);

#endif
