/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM and its vCPUs under a policy: the only code that makes KVM ioctls on a
 * guest's behalf.
 */
#ifndef REGPIN_LIB_VM_H
#define REGPIN_LIB_VM_H

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "msr_filter.h"
#include "registers.h"
#include "replay.h"

struct access;
struct verdict;

/* The registers that userspace can write for a guest; see registers.tsv. */
#define NR_REPLAY	9
extern const uint32_t replay_registers[NR_REPLAY];

/* Position of @index in replay_registers, or -1. */
int replay_slot(uint32_t index);

/**
 * struct uniform - the value that all vCPUs must write to a register
 * @known: the first armed vCPU has finished its syscall set-up
 * @value: what it left there
 */
struct uniform {
	_Atomic bool known;
	_Atomic uint64_t value;
};

/**
 * struct regpin_vm - a VM under a policy
 * @policy: borrowed
 * @fd: the VM, borrowed
 * @options: the caller's, completed with defaults
 * @wants_msrs: the policy has MSR rules; else no ioctl is made for it
 * @lock: taken while the VMM's filter or mask changes; never on a vCPU's path
 * @vmm_mask: the VMM's own KVM_MSR_EXIT_REASON_* mask
 * @vmm: a copy of the VMM's own filter, NULL if it has none
 * @copies: where @vmm is; a new one goes to the other place, so that vCPUs that
 *	look at the old one meanwhile see it whole
 * @merged: what KVM was given last
 * @vcpus: all of them, by their @next; under @lock
 * @settled: how far the first armed vCPU is with @uniform, see lifecycle.c
 * @uniform: settled values, by replay_slot()
 */
struct regpin_vm {
	const struct regpin_policy *policy;
	int fd;
	struct regpin_vm_options options;
	bool wants_msrs;
	atomic_flag lock;
	_Atomic uint64_t vmm_mask;
	_Atomic(struct filter_copy *) vmm;
	struct filter_copy copies[2];
	struct filter_copy merged;
	struct regpin_vcpu *vcpus;
	_Atomic uint32_t settled;
	struct uniform uniform[NR_REPLAY];
};

/**
 * struct snapshot - a vCPU's registers around a write by the VMM
 * @valid: taken
 * @paging: CR0.PG
 * @msrs: by replay_slot(); values of registers that KVM refused to read are 0
 */
struct snapshot {
	bool valid;
	bool paging;
	uint64_t msrs[NR_REPLAY];
};

/**
 * struct regpin_vcpu - a vCPU under its VM's policy
 * @vm: borrowed
 * @fd: borrowed
 * @id: as given to KVM_CREATE_VCPU
 * @run: the VMM's shared page; borrowed
 * @guest: what its CPUID offers
 * @armed: its pins hold
 * @setup_done: it has finished its syscall set-up
 * @dirty: the VMM wrote registers since the last KVM_RUN
 * @loading: and they were those of a running system; it was not armed before
 * @resetting: and paging went off with them
 * @settler: its values are the VM's uniform ones
 * @thread: that armed it, or ran it last after the VMM wrote registers
 * @next: in the VM's list
 * @set_up: the registers when its syscall set-up was finished
 * @before: the registers before the VMM's write
 */
struct regpin_vcpu {
	struct regpin_vm *vm;
	int fd;
	uint32_t id;
	struct kvm_run *run;
	struct guest guest;
	bool armed;
	bool setup_done;
	bool dirty;
	bool loading;
	bool resetting;
	bool settler;
	_Atomic int thread;
	struct regpin_vcpu *next;
	struct snapshot set_up;
	struct snapshot before;
};

/*
 * ioctl(2) on a VM or vCPU. The shim, which is itself the process's ioctl(), and
 * tests bring their own in place of lib/ioctl.c.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg);

/* Zeroed pages: the shim must not call malloc() where the VMM calls ioctl(). */
void *pages_alloc(size_t size);
void pages_free(void *pages, size_t size);

/* The VM's list of vCPUs. */
void vm_add_vcpu(struct regpin_vm *vm, struct regpin_vcpu *vcpu);
void vm_del_vcpu(struct regpin_vcpu *vcpu);

/*
 * Is any vCPU armed that may still run? One whose thread has ended was unplugged,
 * though the VMM may keep its fd for later: its own pins stay, but it does not
 * keep the VM's values alive over a reset of all others.
 */
bool vm_armed(struct regpin_vm *vm);

/* Fills in time, vm and vcpu and hands the event on. @vcpu may be NULL. */
void vm_event(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      struct regpin_event *event);

/* Sends a refusal as an event and returns -EPERM. */
int vm_refuse(struct regpin_vm *vm, const struct regpin_vcpu *vcpu,
	      enum regpin_refusal reason);

/* One MSR of a vCPU. Return 0, -EINVAL if KVM has or takes no such, -errno. */
int vcpu_get_msr(const struct regpin_vcpu *vcpu, uint32_t index,
		 uint64_t *value);
int vcpu_set_msr(const struct regpin_vcpu *vcpu, uint32_t index,
		 uint64_t value);

/* Is CR0.PG set, as far as KVM says? */
bool vcpu_paging(const struct regpin_vcpu *vcpu);

void vcpu_snapshot(const struct regpin_vcpu *vcpu, struct snapshot *snapshot);

/* Tells of an access and its verdict; @proposed is what the guest wrote. */
void vcpu_access_event(struct regpin_vcpu *vcpu, uint32_t type,
		       const struct access *access,
		       const struct verdict *verdict, uint64_t proposed);

#endif
