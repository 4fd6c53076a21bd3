/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts that are written in assembly. */
#ifndef ENTRY_H
#define ENTRY_H

#include <linux/types.h>

void rop_step(unsigned long gadget, u64 value);
void rop_back(void);
void unpaged_step(unsigned long stub, unsigned long cr3);
void unpaged_back(void);
extern unsigned long landing_sp;	/* of the last step: where execution continues after a landing */

/* A system-call entry, and the original one, to which it passes other calls. */
void syscall_hook(void);
extern void *syscall_original;

/* The code for the pages below 1 MiB, and places in it. */
extern const u8 low_start[], low_end[];
extern const u8 low_ap_pg[], low_ap_wrmsr[], low_gp32[], low_gp64[];
extern const u8 low_unpaged[], low_pg_off[];

#endif
