/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which fd is which VM or vCPU. */
#ifndef REGPIN_SHIM_FDS_H
#define REGPIN_SHIM_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

/* Which VM or vCPU is behind this fd? NULL if it is none. Looks once, cheaply. */
struct regpin_vm *fds_vm(int fd);
struct regpin_vcpu *fds_vcpu(int fd);

/* The same, but finds out about fds that came from elsewhere. May not return. */
struct regpin_vm *fds_learn_vm(int fd);
struct regpin_vcpu *fds_learn_vcpu(int fd);

/* The VMM has created these. @kvm_fd is /dev/kvm. */
void fds_created_vm(int kvm_fd, int vm_fd);
void fds_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id);

/* Is there still a VM behind one of @vm's numbers? Then that one is its fd. */
bool fds_vm_lives(struct regpin_vm *vm);

/* It has none any more. */
void fds_forget_vm(struct regpin_vm *vm);

#endif
