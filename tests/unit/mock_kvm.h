/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM with the CR filter, for what no KVM on a builder's machine can play: a file
 * of registers for each vCPU behind our own kvm_ioctl(), and the exits by hand.
 */
#ifndef REGPIN_TESTS_UNIT_MOCK_KVM_H
#define REGPIN_TESTS_UNIT_MOCK_KVM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/vm/types.h"

#define MOCK_VCPUS	3
#define MOCK_VM		100
#define MOCK_EVENTS	64

#define MOCK_OTHERS	6

struct mock_vcpu {
	uint64_t msrs[NR_REPLAY];
	uint64_t others[MOCK_OTHERS];		/* mock_others' values */
	struct kvm_sregs sregs;
	struct kvm_run run;
	struct regpin_vcpu *regpin;
	bool in_l2;				/* by KVM_GET_NESTED_STATE alone */
};

/* Registers beside those with a slot: TSC_AUX and some MTRRs. */
extern const uint32_t mock_others[MOCK_OTHERS];

extern struct mock {
	struct mock_vcpu vcpus[MOCK_VCPUS];
	struct regpin_vm *vm;
	struct kvm_x86_cr_filter filter;
	struct kvm_vcpu_events put;		/* the last KVM_SET_VCPU_EVENTS */
	unsigned int nr_filters;		/* how often it was set */
	unsigned int nr_sets;			/* KVM_SET_MSRS that were asked for */
	unsigned int failing_set;		/* which of them fails; 0: none */
	int failing_errno;			/* 0: KVM refuses the value */
	unsigned int nr_events;
	struct regpin_event events[MOCK_EVENTS];
	/* Called before each ioctl; may be NULL. */
	void (*before)(int fd, unsigned long request);
	/* This one fails with this errno; KVM_*_MSRS with 0: it does none of them. */
	unsigned long fails;
	int fails_with;
} mock;

/* Takes @policy over; all vCPUs are as after a reset. */
void mock_open(struct regpin_policy *policy);

/* The same on a KVM without the CR filter: control registers are looked at. */
void mock_open_stock(struct regpin_policy *policy);
void mock_close(void);

/* How many events of @type came? */
unsigned int mock_count(unsigned int type);

/* The guest's WRMSR, MOV to CR0 or CR4. True: it was done, false: #GP. */
bool mock_wrmsr(unsigned int vcpu, uint32_t index, uint64_t value);
bool mock_mov_cr(unsigned int vcpu, unsigned int cr, uint64_t value);

/* vCPU @vcpu is told to look at itself, and enters; or ticks. Returns regpin_entry. */
int mock_look(unsigned int vcpu);
int mock_tick(unsigned int vcpu);

/* INIT, as KVM does it: at once; and what it tells when a SIPI starts the vCPU. */
void mock_init(unsigned int vcpu);
void mock_sipi(unsigned int vcpu);

/* A kernel: protections first, then its entry point. */
void mock_boot(unsigned int vcpu, uint64_t cr4);

#endif
