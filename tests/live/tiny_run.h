/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs the vCPUs of the tiny VMM. */
#ifndef REGPIN_TESTS_LIVE_TINY_RUN_H
#define REGPIN_TESTS_LIVE_TINY_RUN_H

#include "tiny.h"

/* Results of the functions that run the guest, besides 0 and -errno. */
#define TINY_GP		1	/* the instruction got #GP(0) */
#define TINY_EXIT	2	/* an exit that the tiny VMM does not handle */
#define TINY_HELD	3	/* regpin: the vCPU waits for an answer */
#define TINY_STOPPED	4	/* regpin: the VM must not run on */

/*
 * Calls KVM_RUN until an exit that is not regpin's. Returns 0, TINY_HELD, TINY_STOPPED
 * or -errno. A tiny_kick() does not end it.
 */
int tiny_run(struct tiny_vcpu *vcpu);

/*
 * For options.kick: makes the thread that is in tiny_run() with this vCPU look at
 * regpin's state. tiny_kick_begin() must have installed SIGUSR1's handler before.
 */
void tiny_kick(void *context, struct regpin_vcpu *vcpu);
void tiny_kick_begin(void);

/* Sets the guest's RIP to a WRMSR, an RDMSR or an endless loop of WRMSR. */
void tiny_prepare(struct tiny_vcpu *vcpu, uint32_t at, uint32_t index,
		  uint64_t value);

/* After tiny_run(): the outcome of the instruction at @at: 0, TINY_GP or TINY_EXIT. */
int tiny_outcome(struct tiny_vcpu *vcpu, uint32_t at);

/* Runs one instruction of the guest. Returns 0, TINY_GP, TINY_EXIT or -errno. */
int tiny_wrmsr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value);
int tiny_rdmsr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t *value);

/* The same with MOV to CR0 or CR4. */
int tiny_mov_cr(struct tiny_vcpu *vcpu, unsigned int cr, uint64_t value);

#endif
