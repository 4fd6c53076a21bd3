/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of registers, generated from registers.tsv: the only source of the names in
 * policies, reports and documentation.
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
#define MSR_LASTBRANCHFROMIP	0x1dbu	/* and three after it */
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

/* SDM volume 3, "IA32_PAT MSR": its value after a reset */
#define PAT_RESET	0x0007040600070406ull

/* SDM volume 3, "IA32_MCG_CAP MSR" */
#define MCG_LMCE_P	(1ull << 27)

#define CR0_PE		(1ull << 0)
#define CR0_PG		(1ull << 31)

/**
 * struct regpin_bit - a named bit or field of a register
 * @name: SDM/APM name, then further names, each terminated by a NUL, the last by two
 * @lo: lowest bit
 * @width: number of bits
 */
struct regpin_bit {
	const char *name;
	unsigned char lo, width;
};

/**
 * struct regpin_register - a row of registers.tsv
 * @name: SDM/APM name; for a family, the member's number stands at the #, or at the end
 * @aliases: further names, each terminated by a NUL, the last by two; NAME@n is a name of
 *	member n alone
 * @kind: enum regpin_kind
 * @index: MSR index of the first member, 0 for control registers
 * @count: number of members
 * @lowest: number of the first member
 * @stride: from one member's index to the next one's
 * @bits: first entry in regpin_bits
 * @nbits: number of entries
 * @class: group ("syscall")
 * @hot: guests access it in normal operation, so a filter on it costs exits
 * @replay: userspace can perform a guest's write to it exactly
 * @kept: the value that a vCPU was set up with is remembered: see replay_slot()
 * @cpus: vendors or models that have it ("intel", "p4,core2"), or NULL: all
 * @note: what a policy's author may need to know, or NULL
 */
struct regpin_register {
	const char *name;
	const char *aliases;
	unsigned char kind, lowest;
	uint16_t stride;
	uint32_t index, count;
	uint16_t bits, nbits;
	const char *class;
	bool hot, replay, kept;
	const char *cpus;
	const char *note;
};

extern const struct regpin_bit regpin_bits[];
extern const struct regpin_register regpin_registers[];
extern const unsigned int regpin_nr_registers;

/*
 * After the first regpin_nr_registers rows come those of kind "also", up to this number:
 * registers of certain CPUs at an index where other CPUs have another register, and names
 * of whole ranges. They are found by name, never by index.
 */
extern const unsigned int regpin_nr_names;

/* Is there a group of registers, a class, of this name? */
bool register_group(const char *name);

/* Is row @n the first one of its class? So each class can be listed once. */
bool register_is_first(unsigned int n);

/* The row that holds @kind, @index, or NULL. */
const struct regpin_register *register_find(unsigned int kind, uint32_t index);

/*
 * The number of the first row of MSRs that doesn't end before @index, or
 * regpin_nr_registers if there is none.
 */
unsigned int register_from(uint32_t index);

/* The index of the last member of @reg. */
static inline uint32_t register_last(const struct regpin_register *reg)
{
	return reg->index + (reg->count - 1) * reg->stride;
}

/* Is MSR @index a member of @reg, a row of MSRs? */
static inline bool register_has(const struct regpin_register *reg,
				uint32_t index)
{
	return index >= reg->index && index <= register_last(reg) &&
	       (index - reg->index) % reg->stride == 0;
}

/* Has @reg, a row of MSRs, a member from @first to @last? */
bool register_within(const struct regpin_register *reg, uint32_t first,
		     uint32_t last);

#define REGISTER_TITLE_MAX	64	/* room for register_title() */

/* Writes the name of MSR @index, which is a member of @reg: "IA32_MC3_CTL". Returns @to. */
const char *register_title(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg, uint32_t index);

/* Writes the name of all of @reg, as policies can have it: "IA32_MCi_CTL". Returns @to. */
const char *register_whole(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg);

/* Writes the name of all of @reg, with its members: "IA32_MC0-31_CTL". Returns @to. */
const char *register_family(char to[REGISTER_TITLE_MAX],
			    const struct regpin_register *reg);

/*
 * Writes name @n of MSR @index, a member of @reg: 0 is the manual's name, the aliases
 * follow. Returns false, and writes nothing, if there are not that many.
 */
bool register_name(char to[REGISTER_TITLE_MAX],
		   const struct regpin_register *reg, uint32_t index,
		   unsigned int n);

/* The same for the names of a whole family, which have an i as in register_whole(). */
bool register_whole_name(char to[REGISTER_TITLE_MAX],
			 const struct regpin_register *reg, unsigned int n);

/* The mask of the bit or field @name of @reg, or 0 if it has none of this name. */
uint64_t register_bit(const struct regpin_register *reg, const char *name);

#endif
