/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest of tiny-vmm.c: a "kernel" that is taken over. */
#ifndef TINY_GUEST_H
#define TINY_GUEST_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_MEMORY	0x200000ul
#define GUEST_PORT	0x80	/* where it reports to its VMM after each step */

/* Puts the guest's program and its tables into its memory. */
void guest_write(uint8_t *memory);

/* Sets what differs from power-on: 64 bits, paging, before its first step. */
void guest_registers(struct kvm_sregs *sregs, struct kvm_regs *regs);

/* What step @number is, from 0, or NULL. */
const char *guest_step(size_t number);

#endif
