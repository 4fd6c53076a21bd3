/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A KVM that only remembers: registers, an MSR filter and a CR filter behind the
 * library's own ioctls. What it shows to regpin is decided as KVM decides it, by the
 * filters; it runs no guest, and refuses nothing but what it is told to.
 */
#ifndef REGPIN_TOOL_SIM_KVM_H
#define REGPIN_TOOL_SIM_KVM_H

#include "lib/judge/msr_filter.h"
#include "lib/vm/types.h"
#include "trace.h"

/* No process has so many files. */
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
 * @known: of which registers the trace has shown what they hold: SIM_KNOWS_*. A trace may
 *	begin in the middle of a guest's life, and leave out what it is not about
 * @cs: CS's base
 * @replayed: MSRs by replay_slot()
 * @msrs: all others that were written, hashed
 * @size: of @msrs, a power of two, or 0
 * @used: how many of them are
 * @run: what it shares with the VMM
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
 * @vcpus: by their numbers; NULL: not there
 * @nr: one more than the highest number
 * @filter: what KVM_X86_SET_MSR_FILTER was given
 * @crs: what KVM_X86_SET_CR_FILTER was given
 * @forwards: KVM_CAP_EXIT_HYPERCALL's mask
 * @reasons: KVM_CAP_X86_USER_SPACE_MSR's
 * @efer_reserved: bits of EFER that the guest's CPU does not have
 * @refused: the access that is being made, if it is one that KVM refuses
 */
struct sim_kvm {
	struct sim_vcpu *vcpus[SIM_VCPUS];
	unsigned int nr;
	struct msr_filter filter;
	struct kvm_x86_cr_filter crs;
	uint64_t forwards, reasons, efer_reserved;
	const struct trace_line *refused;
};

/* From now on @kvm is behind SIM_VM_FD; NULL: nothing is. */
void sim_kvm_use(struct sim_kvm *kvm);

/* The vCPU as after a reset. */
void sim_reset(struct sim_vcpu *vcpu);

/* An MSR's value; of one that was never written 0. */
uint64_t sim_get_msr(const struct sim_vcpu *vcpu, uint32_t index);

/* Returns false if there is no memory. */
bool sim_set_msr(struct sim_vcpu *vcpu, uint32_t index, uint64_t value);

/* Writes CR0, CR4 or XCR0; EFER.LMA follows CR0.PG and EFER.LME. */
void sim_set_cr(struct sim_vcpu *vcpu, unsigned int kind, uint64_t value);

/* A register's bits that have a name; in a control register and EFER the rest is reserved. */
uint64_t sim_named_bits(unsigned int kind, uint32_t index);

#endif
