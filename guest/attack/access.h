/* SPDX-License-Identifier: GPL-2.0-only */
/* Access to registers, memory and symbols of the kernel, for all attacks. */
#ifndef ACCESS_H
#define ACCESS_H

#include <linux/types.h>
#include "tools.h"

/* Numbers of control registers; those of MSRs are their indices. */
#define REG_CR0	0xffff0000u
#define REG_CR4	0xffff0004u

/* The parts of the attacking program, in its memory. */
extern struct tools tools;

/* A word in read-only memory, and the number of writes to it that succeeded. */
extern u64 precious;

u64 read_register(u32 reg);
bool poke(void *address, const void *from, size_t size);
phys_addr_t precious_phys(void);
void *symbol(const char *name);

#endif
