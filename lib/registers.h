/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of registers: generated from registers.tsv, which is the one source
 * for the policy's names, for reports and for the documentation.
 */
#ifndef REGPIN_LIB_REGISTERS_H
#define REGPIN_LIB_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define MSR_EFER		0xc0000080u
#define MSR_STAR		0xc0000081u
#define MSR_LSTAR		0xc0000082u
#define MSR_CSTAR		0xc0000083u
#define MSR_SFMASK		0xc0000084u
#define MSR_SYSENTER_CS		0x174u
#define MSR_SYSENTER_ESP	0x175u
#define MSR_SYSENTER_EIP	0x176u
#define MSR_MTRR_PHYSBASE0	0x200u	/* base and mask in turn */
#define MSR_MTRR_PHYSMASK7	0x20fu
#define MSR_FEATURE_CONTROL	0x3au
#define MSR_MCG_CAP		0x179u
#define MSR_PAT			0x277u
#define MSR_LASTBRANCHFROMIP	0x1dbu	/* and three behind it */
#define MSR_KVM_GUEST_SSP	0x4b564dffu	/* KVM's own number, no MSR */
#define MSR_FS_BASE		0xc0000100u
#define MSR_KERNEL_GS_BASE	0xc0000102u
#define MSR_TSC_AUX		0xc0000103u

/* AMD64 Architecture Programmer's Manual, "Extended Feature Enable Register" */
#define EFER_SCE	(1ull << 0)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define EFER_NXE	(1ull << 11)
#define EFER_SVME	(1ull << 12)
#define EFER_FFXSR	(1ull << 14)
#define EFER_AIBRSE	(1ull << 21)

#define CR0_PE		(1ull << 0)
#define CR0_PG		(1ull << 31)

/**
 * struct regpin_bit - a named bit or field of a register
 * @name: SDM/APM name
 * @lo: lowest bit
 * @width: number of bits
 */
struct regpin_bit {
	const char *name;
	unsigned char lo, width;
};

/**
 * struct regpin_register - a row of registers.tsv
 * @name: SDM/APM name
 * @aliases: other names, each ended by a NUL, the last by two
 * @kind: enum regpin_kind
 * @index: MSR index of the first member, 0 for control registers
 * @count: number of members, with consecutive indices
 * @bits: first entry in regpin_bits
 * @nbits: number of entries
 * @class: group ("syscall")
 * @hot: written or read in normal running; a filter on it costs exits
 * @replay: userspace can perform a guest's write to it exactly
 * @kept: and what a vCPU was set up with there is remembered: see replay_slot()
 * @note: what a policy's author may need to know, or NULL
 */
struct regpin_register {
	const char *name;
	const char *aliases;
	unsigned char kind;
	uint32_t index, count;
	uint16_t bits, nbits;
	const char *class;
	bool hot, replay, kept;
	const char *note;
};

extern const struct regpin_bit regpin_bits[];
extern const struct regpin_register regpin_registers[];
extern const unsigned int regpin_nr_registers;

/* The row that holds @kind, @index, or NULL. */
const struct regpin_register *register_find(unsigned int kind, uint32_t index);

/*
 * The number of the first row of MSRs that doesn't end before @index; it may be
 * behind the last one.
 */
unsigned int register_from(uint32_t index);

/*
 * The row named @name (any case, aliases too), or NULL. "MTRRphysBase3" finds
 * a family's row, and *@member is 3; 0 for single registers.
 */
const struct regpin_register *register_by_name(const char *name,
					       uint32_t *member);

/* The mask of the bit or field @name of @reg, or 0 if it has none so named. */
uint64_t register_bit(const struct regpin_register *reg, const char *name);

#endif
