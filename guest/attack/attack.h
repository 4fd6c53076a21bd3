/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the attack module share. */
#ifndef ATTACK_H
#define ATTACK_H

#include <linux/kernel.h>
#include <asm/asm.h>
#include "tools.h"

/* Beside the MSRs, which have their index. */
#define REG_CR0	0xffff0000u
#define REG_CR4	0xffff0004u

/* Was the effect seen that the attack is made for? */
enum mark { NOT_SEEN, SEEN, ASK_USER, NO_EFFECT_TO_SEE };

struct attempt {
	u64 old, new, seen;	/* the register: before, tried, afterwards */
	unsigned long fault;	/* the instruction got #GP */
	unsigned long rip;	/* of the instruction */
	enum mark mark;
};

typedef unsigned long writer(u64 value, unsigned long *rip);

struct attack {
	const char *name;
	void (*run)(const struct attack *attack, struct attempt *a);
	u32 reg;
	u64 set, clear, flip;
	writer *write;		/* a control register: by which instruction */
	enum mark (*effect)(const struct attempt *a);
	void (*undo)(void);	/* for those whose effect the user program looks at */
	unsigned int arg;	/* where VMLOAD finds it; what the other CPU does */
	bool irqs_on;
};

/* The attacking program's part, in its memory. */
extern struct tools tools;

/* A word that nobody may write; how often somebody did. */
extern u64 precious;

u64 read_register(u32 reg);
u64 wanted(const struct attack *attack, u64 old);
bool poke(void *address, const void *from, size_t size);
phys_addr_t precious_phys(void);
void *symbol(const char *name);

void attack_msr(const struct attack *attack, struct attempt *a);
void attack_vmload(const struct attack *attack, struct attempt *a);
void attack_lstar_hook(const struct attack *attack, struct attempt *a);
void undo_lstar_hook(void);
int msr_begin(void);
void msr_end(void);

void attack_cr(const struct attack *attack, struct attempt *a);
void attack_rop(const struct attack *attack, struct attempt *a);
void undo_cr4(void);
writer mov_cr0, mov_cr4, rootkits_cr0, raw_cr0, raw_cr4, lmsw;
enum mark wp_effect(const struct attempt *a);
enum mark smep_effect(const struct attempt *a);
enum mark smap_effect(const struct attempt *a);
enum mark em_effect(const struct attempt *a);
enum mark root_effect(const struct attempt *a);

void attack_unpaged(const struct attack *attack, struct attempt *a);
void attack_other_cpu(const struct attack *attack, struct attempt *a);
void attack_smm(const struct attack *attack, struct attempt *a);
void attack_syscall_hook(const struct attack *attack, struct attempt *a);
void undo_syscall_hook(void);

/*
 * A trap or #GP at an instruction that has no entry in the exception table: where
 * it happens, what follows it, and where to go then. One at a time, on one CPU.
 */
struct landing {
	unsigned long at, after, resume;
	bool fault;
};

extern struct landing landing;
extern unsigned long landing_sp;	/* set by entry.S */
int landing_begin(void);
void landing_end(void);

/* entry.S */
void rop_step(unsigned long gadget, u64 value);
void rop_back(void);
void unpaged_step(unsigned long stub, unsigned long cr3);
void unpaged_back(void);
void syscall_hook(void);
extern void *syscall_original;

#endif
