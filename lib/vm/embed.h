/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program with the library inside needs of a VM and a vCPU beside the public API.
 * The shim uses these functions, and none of the members that they speak of.
 */
#ifndef REGPIN_LIB_EMBED_H
#define REGPIN_LIB_EMBED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/overflow.h"
#include "lib/kvm/regs.h"
#include "reached.h"
#include "regpin/regpin.h"

/* The place for the next VM in a list of the caller's own. */
struct regpin_vm **vm_older(struct regpin_vm *vm);

/* The VM's file, and another number for the same file. */
int vm_fd(const struct regpin_vm *vm);
void vm_set_fd(struct regpin_vm *vm, int fd);

/* The VM's vCPUs one by one, NULL at the end, while none can be detached. */
struct regpin_vcpu *vm_first_vcpu(const struct regpin_vm *vm);
struct regpin_vcpu *vcpu_next(const struct regpin_vcpu *vcpu);

/* The policy that the VM was given last; and whether @policy is that one or the one before. */
const struct regpin_policy *vm_whole_policy(const struct regpin_vm *vm);
bool vm_keeps_policy(const struct regpin_vm *vm,
		     const struct regpin_policy *policy);

/* What the last filter or policy that did not fit had no room for. */
const struct overflow *vm_overflow(const struct regpin_vm *vm);

/* Is KVM's CR filter of this VM the policy's, or may an exit of it be on its way? */
bool vm_has_cr_filter(const struct regpin_vm *vm);

/* Sets what keeps all of the VM's vCPUs from being kicked. True if that is new. */
bool vm_set_unreached(struct regpin_vm *vm, enum regpin_unreached why);

/* The vCPU's number, its VM, its file and run page. */
uint32_t vcpu_id(const struct regpin_vcpu *vcpu);
struct regpin_vm *vcpu_vm(const struct regpin_vcpu *vcpu);
struct vcpu_io *vcpu_io(struct regpin_vcpu *vcpu);

/* May it be in KVM_RUN, or in an exit that is being judged? */
bool vcpu_is_inside(const struct regpin_vcpu *vcpu);

/* Is it the vCPU whose exit reports that its VM is stopped? */
bool vcpu_reports_stop(const struct regpin_vcpu *vcpu);

/*
 * The thread that runs the vCPU, for kicks; negative if it must unblock the signal before
 * it enters again, which vcpu_request_unblock() asks of @thread if that is still the one.
 */
int vcpu_runner(const struct regpin_vcpu *vcpu);
void vcpu_set_runner(struct regpin_vcpu *vcpu, int thread);
void vcpu_request_unblock(struct regpin_vcpu *vcpu, int thread);

/* Whether kicks reach it: the caller's own record, which the library shows in its status. */
struct reach *vcpu_reach(struct regpin_vcpu *vcpu);

/*
 * The run time at which its control registers were last looked at, in ns, and how often
 * they should be. 0: no look is due.
 */
uint64_t vcpu_polled_at(const struct regpin_vcpu *vcpu, uint32_t *every_ms);

#endif
