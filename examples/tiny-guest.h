/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest of tiny-vmm.c: a "kernel" that an attacker compromises. */
#ifndef TINY_GUEST_H
#define TINY_GUEST_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_MEMORY	0x200000ul
#define GUEST_PORT	0x80	/* the guest writes to it after each step */

/* Puts the guest's program and its tables into its memory. */
void guest_write(uint8_t *memory);

/* Sets the registers for the first step: unlike at power-on, 64-bit mode and paging. */
void guest_registers(struct kvm_sregs *sregs, struct kvm_regs *regs);

/* A description of the guest's step @number, from 0; NULL after the last step. */
const char *guest_step(size_t number);

#endif
