/* SPDX-License-Identifier: GPL-2.0-only */
/* What all attacks use: registers, memory, symbols of the kernel. */
#ifndef ACCESS_H
#define ACCESS_H

#include <linux/types.h>
#include "tools.h"

/* Beside the MSRs, which have their index. */
#define REG_CR0	0xffff0000u
#define REG_CR4	0xffff0004u

/* The attacking program's part, in its memory. */
extern struct tools tools;

/* A word that nobody may write; how often somebody did. */
extern u64 precious;

u64 read_register(u32 reg);
bool poke(void *address, const void *from, size_t size);
phys_addr_t precious_phys(void);
void *symbol(const char *name);

#endif
