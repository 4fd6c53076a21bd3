/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface between the module and the program that uses it, guest/attacker.c. */
#ifndef TOOLS_H
#define TOOLS_H

#define SECRET		0x5ec3e75ec3e75ec3ul	/* in the program's memory */
#define HOOKED		0x600dul		/* what a hooked system call returns */
#define HOOK_NUMBER	0x7777			/* not a system call of Linux */

#ifndef __ASSEMBLER__
/* Addresses in the program's memory, which the kernel should neither call nor read. */
struct tools {
	unsigned long secret;
	unsigned long read_cr4;	/* mov %cr4, %rax; ret: only ring 0 can */
	unsigned long payload;	/* makes the caller root */
};
#endif

#endif
