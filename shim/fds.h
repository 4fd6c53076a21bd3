/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which fd is which VM or vCPU. */
#ifndef REGPIN_SHIM_FDS_H
#define REGPIN_SHIM_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define FDS_MAX	(1 << 16)

struct kvm_run;

/* Without /proc (a VMM may chroot) one of KVM's files is like all the other
 * anonymous ones. */
enum fds_answer { FDS_NO, FDS_YES, FDS_UNKNOWN };

/* Which VM or vCPU is behind this fd? NULL if it is none. Looks once, cheaply. */
struct regpin_vm *fds_vm(int fd);
struct regpin_vcpu *fds_vcpu(int fd);

/*
 * From now on this one is behind @fd, which is below FDS_MAX. A VM that had this number
 * before is the VMM's memory, not ours; a vCPU's has been through fds_drop_vcpu().
 */
void fds_set_vm(int fd, struct regpin_vm *vm);
void fds_set_vcpu(int fd, struct regpin_vcpu *vcpu);

/* Our mapping of the vCPU; it is undone with the vCPU's last number. */
void fds_set_run(int fd, struct regpin_vcpu *vcpu, struct kvm_run *run);

/* The size of such mappings, 0: not known yet. */
size_t fds_run_size(void);
void fds_set_run_size(size_t size);

/*
 * Forgets a number. With a vCPU's last one goes our mapping, which keeps the
 * closed vCPU, and so its VM, alive. Under control_lock().
 */
void fds_drop_vcpu(int fd);

/* Forgets all numbers that are no vCPU's any more. Likewise. */
void fds_sweep(void);

/* Is @fd a VM or a vCPU, by its name in /proc? */
enum fds_answer fds_is_vm(int fd);
enum fds_answer fds_is_vcpu(int fd);

/* The known VM or vCPU that @fd is another number of, or NULL. */
struct regpin_vm *fds_known_vm(int fd);
struct regpin_vcpu *fds_known_vcpu(int fd);

/* Is there still a VM behind one of @vm's numbers? Then that one is its fd. */
bool fds_vm_is_open(struct regpin_vm *vm);

/* It has none any more. */
void fds_forget_vm(struct regpin_vm *vm);

#endif
