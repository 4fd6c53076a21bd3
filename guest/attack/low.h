/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code and data below 1 MiB, where the guest runs without paging. Linux allocates
 * nothing there, and firmware and boot loader no longer use these pages.
 */
#ifndef LOW_H
#define LOW_H

#define SMBASE		0x30000		/* after reset, until the firmware moves it */
#define SMM_ENTRY	(SMBASE + 0x8000)
#define SMRAM_CR4	(SMBASE + 0xff48)	/* KVM's layout for 64 bits */
#define SMRAM_CR0	(SMBASE + 0xff58)

#define LOW		0x40000
#define LOW_PARAMS	(LOW + 0x1000)
#define LOW_IDT		(LOW + 0x1800)
#define LOW_STACK	(LOW + 0x3000)
#define LOW_VECTOR	(LOW >> 12)	/* for the start-up IPI */

/* The other CPU's attack after it has turned paging on. */
#define LOW_WRITES	0	/* clear CR0.WP, write to a read-only page */
#define LOW_STAYS	1	/* keep CR0.WP, but not CR4's bits; run forever */
#define LOW_LSTAR	2	/* likewise, and then set LSTAR */

/* The progress of the other CPU. */
#define STAGE_REAL	1
#define STAGE_PAGED	2
#define STAGE_DONE	3
#define STAGE_GP	13

#define P_STAGE		0
#define P_COUNTER	8
#define P_CR0		16
#define P_CR4		24
#define P_CR3		32
#define P_EFER		40
#define P_TARGET	48
#define P_TARGET_PHYS	56
#define P_BACK		64
#define P_WHAT		72
#define P_LSTAR		80

/* Selectors, the same in the low code's GDT and in Linux's own */
#define CODE32		0x08
#define CODE64		0x10
#define DATA		0x18

#ifndef __ASSEMBLER__
struct low_params {
	u64 stage, counter, cr0, cr4, cr3, efer, target, target_phys, back, what,
		lstar;
};
#endif

#endif
