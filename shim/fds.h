/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the VM or the vCPU of an fd. */
#ifndef REGPIN_SHIM_FDS_H
#define REGPIN_SHIM_FDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define FDS_MAX	(1 << 16)

struct kvm_run;

/*
 * FDS_UNKNOWN: the file is anonymous, and without /proc (a VMM may chroot) KVM's files
 * cannot be distinguished from others.
 */
enum fds_answer { FDS_NO, FDS_YES, FDS_UNKNOWN };

/* Returns the VM or vCPU of @fd, by a single load. NULL: not known as one. */
struct regpin_vm *fds_vm(int fd);
struct regpin_vcpu *fds_vcpu(int fd);

/*
 * Notes that @fd, which is below FDS_MAX, is this VM or vCPU. Call fds_drop_vcpu() first
 * for a vCPU that had the same number.
 */
void fds_set_vm(int fd, struct regpin_vm *vm);
void fds_set_vcpu(int fd, struct regpin_vcpu *vcpu);

/* Notes the shim's mapping of the vCPU. It is unmapped with the vCPU's last fd. */
void fds_set_run(int fd, struct regpin_vcpu *vcpu, struct kvm_run *run);

/* The size of these mappings; 0: not known yet. */
size_t fds_run_size(void);
void fds_set_run_size(size_t size);

/*
 * Forgets @fd. If it is the vCPU's last fd, detaches the vCPU and unmaps its run page,
 * which would keep the closed vCPU, and so its VM, alive. Caller holds control_lock().
 */
void fds_drop_vcpu(int fd);

/*
 * Drops each fd that is no longer a vCPU, like fds_drop_vcpu(), and forgets each that is no
 * longer a VM: another VM's fd may get its number by dup(2), of which the shim learns
 * nothing. Caller holds control_lock().
 */
void fds_sweep(void);

/* Is @fd a VM or a vCPU, by its name in /proc? */
enum fds_answer fds_is_vm(int fd);
enum fds_answer fds_is_vcpu(int fd);

/* The known VM or vCPU that has the same file as @fd, or NULL. */
struct regpin_vm *fds_known_vm(int fd);
struct regpin_vcpu *fds_known_vcpu(int fd);

/* Does @vm have an open fd left? If so, makes that one the VM's fd. */
bool fds_vm_is_open(struct regpin_vm *vm);

/* Forgets all fds of @vm. */
void fds_forget_vm(struct regpin_vm *vm);

#endif
