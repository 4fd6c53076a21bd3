/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A toy KVM for lib/vcpu.c: a file of registers for each vCPU, behind our own
 * kvm_ioctl(). A vCPU's fd is its number; the VM's is TOY_VM.
 */
#ifndef REGPIN_TESTS_FUZZ_TOY_KVM_H
#define REGPIN_TESTS_FUZZ_TOY_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "msr_filter.h"
#include "vm.h"

#define TOY_VCPUS	2
#define TOY_VM		100

struct toy_vcpu {
	uint64_t msrs[NR_REPLAY];
	bool paging;
};

struct toy {
	struct toy_vcpu vcpus[TOY_VCPUS];
	struct filter_copy filter;
	bool fails;		/* every ioctl on a vCPU fails */
};

extern struct toy toy;

/* What KVM does for a guest whose access is not filtered. False for #GP. */
bool toy_guest_write(struct toy_vcpu *vcpu, int slot, uint64_t value);

/* The same for KVM_SET_MSRS. */
bool toy_host_write(struct toy_vcpu *vcpu, int slot, uint64_t value);

#endif
