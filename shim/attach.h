/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VMs and vCPUs come under the policy. */
#ifndef REGPIN_SHIM_ATTACH_H
#define REGPIN_SHIM_ATTACH_H

#include <stdint.h>

#include "regpin/regpin.h"

/*
 * As fds_vm() and fds_vcpu(), but these find out about fds that came from elsewhere. They
 * may not return.
 */
struct regpin_vm *attach_learn_vm(int fd);
struct regpin_vcpu *attach_learn_vcpu(int fd);

/* The VMM has created these. @kvm_fd is /dev/kvm. */
void attach_created_vm(int kvm_fd, int vm_fd);
void attach_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id);

#endif
