/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated KVM: it stores registers, an MSR filter and a CR filter, and serves the
 * library's own ioctls. As in KVM, the filters decide which accesses are forwarded to regpin.
 * It runs no guest, and refuses only the accesses that a trace marks.
 */
#ifndef REGPIN_TOOL_SIM_KVM_H
#define REGPIN_TOOL_SIM_KVM_H

#include "lib/judge/msr_filter.h"
#include "lib/vm/types.h"
#include "trace.h"

/* A number that no open file can have. */
#define SIM_VM_FD	0x70000000
#define SIM_VCPU_FD	0x70010000
#define SIM_VCPUS	1024

struct sim_msr {
	uint32_t index;
	bool used;
	uint64_t value;
};

#define SIM_KNOWS_CR0	(1u << 0)	/* by kind - REGPIN_CR0 */
#define SIM_KNOWS_CR4	(1u << 1)
#define SIM_KNOWS_EFER	(1u << NR_CRS)
#define SIM_KNOWS_ALL	((2u << NR_CRS) - 1)

/**
 * struct sim_vcpu - the registers of a vCPU
 * @crs: by kind - REGPIN_CR0
 * @known: SIM_KNOWS_*: registers whose values the trace has shown. A trace may begin in the
 *	middle of a guest's life, and leave out registers that it is not about
 * @cs: the base of CS
 * @replayed: MSRs by replay_slot()
 * @msrs: all others that were written, hashed
 * @size: size of @msrs, a power of two, or 0
 * @used: number of used entries of @msrs
 * @run: the struct that KVM shares with the VMM
 * @regpin: the vCPU as the library knows it
 */
struct sim_vcpu {
	uint64_t crs[NR_CRS];
	unsigned int known;
	uint64_t cs;
	uint64_t replayed[NR_REPLAY];
	struct sim_msr *msrs;
	uint32_t size, used;
	struct kvm_run run;
	struct regpin_vcpu *regpin;
};

/**
 * struct sim_kvm - a VM
 * @vcpus: by their numbers; NULL: there is none
 * @nr: one more than the highest number
 * @filter: the argument of KVM_X86_SET_MSR_FILTER
 * @crs: the argument of KVM_X86_SET_CR_FILTER
 * @forwards: the mask of KVM_CAP_EXIT_HYPERCALL
 * @reasons: the mask of KVM_CAP_X86_USER_SPACE_MSR
 * @efer_reserved: bits of EFER that the guest's CPU does not have
 * @refused: the present access, if KVM refuses it
 */
struct sim_kvm {
	struct sim_vcpu *vcpus[SIM_VCPUS];
	unsigned int nr;
	struct msr_filter filter;
	struct kvm_x86_cr_filter crs;
	uint64_t forwards, reasons, efer_reserved;
	const struct trace_line *refused;
};

/* Makes SIM_VM_FD stand for @kvm from now on; NULL: for no VM. */
void sim_kvm_use(struct sim_kvm *kvm);

/* Resets the vCPU. */
void sim_reset(struct sim_vcpu *vcpu);

/* The value of an MSR; 0 if it was never written. */
uint64_t sim_get_msr(const struct sim_vcpu *vcpu, uint32_t index);

/* Returns false if there is no memory. */
bool sim_set_msr(struct sim_vcpu *vcpu, uint32_t index, uint64_t value);

/* Writes CR0, CR4 or XCR0; EFER.LMA follows CR0.PG and EFER.LME. */
void sim_set_cr(struct sim_vcpu *vcpu, unsigned int kind, uint64_t value);

/* The bits of a register that have names. Others in CR0, CR4, XCR0 and EFER are reserved. */
uint64_t sim_named_bits(unsigned int kind, uint32_t index);

#endif
