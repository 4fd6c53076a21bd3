/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A toy KVM behind our own kvm_ioctl(): a file of registers for each vCPU, an MSR
 * filter, and exits. A vCPU's fd is its number; the VM's is TOY_VM. It has all
 * registers of the table: for those that userspace can write for a guest it changes
 * values as KVM does, and some of the others share their values.
 */
#ifndef REGPIN_TESTS_FUZZ_TOY_KVM_H
#define REGPIN_TESTS_FUZZ_TOY_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/msr_filter.h"
#include "lib/judge/replay.h"

#define TOY_VCPUS	2
#define TOY_VM		100
#define TOY_REPLAY	64	/* slots for registers that can be written for a guest */
#define TOY_OTHERS	8
#define TOY_WIDTH	40	/* of physical addresses */

#define TOY_NESTED	(1 << 2)	/* KVM_RUN_X86_GUEST_MODE */

struct toy_vcpu {
	uint64_t msrs[TOY_REPLAY + TOY_OTHERS];
	bool paging;
};

/**
 * struct toy_exit - the state besides registers
 * @run: the vCPU's struct kvm_run
 * @pending: an exit has yet to be completed
 * @rip: moves on with each instruction
 * @rax: the value that it read last
 */
struct toy_exit {
	struct kvm_run *run;
	bool pending;
	uint64_t rip, rax;
};

/**
 * struct toy - a VM
 * @mask: the enabled KVM_MSR_EXIT_REASON_*
 * @amd, @nx, @lm, @svm, @aux, @signature: the guest's CPUID; @aux: RDTSCP;
 *	@signature: its family, model and stepping
 * @ignore_msrs: the module's parameter
 * @fails: every ioctl on a vCPU fails
 */
struct toy {
	struct toy_vcpu vcpus[TOY_VCPUS];
	struct toy_exit exits[TOY_VCPUS];
	struct msr_filter filter;
	uint64_t mask;
	bool amd, nx, lm, svm, aux, ignore_msrs;
	unsigned int signature;
	bool fails;
};

extern struct toy toy;

/* If set, it is called after each change of the filter and the mask. */
extern void (*toy_changed)(void);

enum toy_result { TOY_OK, TOY_UNKNOWN, TOY_REFUSED };

/* The slot of a register's value, or -1 if this KVM does not know the register. */
int toy_slot(uint32_t index);

/* The number of MSRs that userspace can write, and each of them. */
int toy_nr_replay(void);
uint32_t toy_replay(int slot);

/* KVM's result without a filter, for the guest, or for KVM_SET_MSRS and the like. */
enum toy_result toy_read(const struct toy_vcpu *vcpu, uint32_t index,
			 bool guest, uint64_t *value);
enum toy_result toy_write(struct toy_vcpu *vcpu, uint32_t index, uint64_t value,
			  bool guest, bool nested);

/*
 * The guest's access as KVM does it. Returns true if it was done, with the result in
 * *@gp or *@value, and false if it became an exit.
 */
bool toy_guest(unsigned int n, uint32_t index, bool write, uint64_t *value,
	       bool *gp);

/* Enters again, so an answered access is completed. */
void toy_complete(unsigned int n);

/* The fields that KVM does not set in an exit, and that the answer must set. */
#define TOY_POISON_ERROR	0x5a
#define TOY_POISON_DATA		0xdeaddeaddeaddeadull

#endif
