/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts VMs and vCPUs under the policy. */
#ifndef REGPIN_SHIM_ATTACH_H
#define REGPIN_SHIM_ATTACH_H

#include <stdint.h>

#include "regpin/regpin.h"

/*
 * Like fds_vm() and fds_vcpu(), but they also recognise fds that another process created,
 * or that were duplicated. They end the process if such a VM or vCPU cannot be put under
 * the policy.
 */
struct regpin_vm *attach_learn_vm(int fd);
struct regpin_vcpu *attach_learn_vcpu(int fd);

/* The VMM has created a VM or a vCPU. @kvm_fd is /dev/kvm. */
void attach_created_vm(int kvm_fd, int vm_fd);
void attach_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id);

#endif
