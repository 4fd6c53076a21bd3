/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock of a KVM with the CR filter, for cases that the KVM of a builder's machine
 * does not produce: a file of registers for each vCPU, our own kvm_ioctl(), and exits
 * that the test makes.
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
	uint64_t others[MOCK_OTHERS];		/* values of the MSRs in mock_others */
	struct kvm_sregs sregs;
	struct kvm_run run;
	struct regpin_vcpu *regpin;
	bool in_l2;				/* shown only by KVM_GET_NESTED_STATE */
};

/* Registers without a replay slot: TSC_AUX, some MTRRs and others. */
extern const uint32_t mock_others[MOCK_OTHERS];

extern struct mock {
	struct mock_vcpu vcpus[MOCK_VCPUS];
	struct regpin_vm *vm;
	struct kvm_x86_cr_filter filter;
	struct kvm_vcpu_events put;		/* the last KVM_SET_VCPU_EVENTS */
	unsigned int nr_filters;		/* how often the filter was set */
	unsigned int nr_sets;			/* number of KVM_SET_MSRS so far */
	unsigned int failing_set;		/* number of the one that fails; 0: none */
	int failing_errno;			/* 0: KVM refuses the value */
	unsigned int nr_events;
	struct regpin_event events[MOCK_EVENTS];
	/* Called before each ioctl; may be NULL. */
	void (*before)(int fd, unsigned long request);
	/*
	 * This ioctl fails with fails_with, an errno. If that is 0, it does none of its
	 * MSRs.
	 */
	unsigned long fails;
	int fails_with;
} mock;

/* Takes ownership of @policy. All vCPUs are as after a reset. */
void mock_open(struct regpin_policy *policy);

/* The same on a KVM without the CR filter: control registers are polled. */
void mock_open_stock(struct regpin_policy *policy);
void mock_close(void);

/* Returns the number of events of @type. */
unsigned int mock_count(unsigned int type);

/* The guest's WRMSR, or MOV to CR0 or CR4. Returns true if it was done, false for #GP. */
bool mock_wrmsr(unsigned int vcpu, uint32_t index, uint64_t value);
bool mock_mov_cr(unsigned int vcpu, unsigned int cr, uint64_t value);

/*
 * vCPU @vcpu is kicked to look at itself, or its tick comes, and it enters. Returns
 * regpin_entry.
 */
int mock_look(unsigned int vcpu);
int mock_tick(unsigned int vcpu);

/* INIT takes effect at once, as in KVM; KVM reports it when a SIPI starts the vCPU. */
void mock_init(unsigned int vcpu);
void mock_sipi(unsigned int vcpu);

/* A kernel starts: it sets its protections first, then its entry point. */
void mock_boot(unsigned int vcpu, uint64_t cr4);

#endif
