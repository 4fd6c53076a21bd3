// SPDX-License-Identifier: GPL-2.0-only
/* Writes to control registers by each instruction that can, and their effects. */
#include <linux/cred.h>
#include <linux/init_task.h>
#include <asm/processor-flags.h>
#include "access.h"
#include "cr.h"

static u64 cr4_before;

#define WRITER(name, instruction)					\
unsigned long name(u64 value, unsigned long *rip)			\
{									\
	unsigned long fault;						\
									\
	asm volatile("1:	" instruction "\n"			\
		     "	xor %k[fault], %k[fault]\n"			\
		     "	jmp 3f\n"					\
		     "2:	mov $1, %k[fault]\n"			\
		     "3:	lea 1b(%%rip), %[rip]\n"		\
		     _ASM_EXTABLE(1b, 2b)				\
		     : [fault] "=&r" (fault), [rip] "=&r" (*rip)	\
		     : "D" (value) : "memory");				\
	return fault;							\
}

WRITER(mov_cr0, "mov %%rdi, %%cr0")
WRITER(mov_cr4, "mov %%rdi, %%cr4")
/* The same function again, for another attack: events show which by the RIP. */
WRITER(rootkits_cr0, "mov %%rdi, %%cr0")
/*
 * Encoded like an access to memory: the CPU ignores these bits of ModRM and executes
 * MOV %rdi, %crN. A program that searches code for that instruction does not find it.
 */
WRITER(raw_cr0, ".byte 0x0f, 0x22, 0x07")
WRITER(raw_cr4, ".byte 0x0f, 0x22, 0x27")
/* LMSW writes PE, MP, EM and TS, and can't clear PE. */
WRITER(lmsw, "lmsw %%di")

void attack_cr(const struct attack *attack, struct attempt *a)
{
	unsigned long rip;

	a->old = read_register(attack->reg);
	a->new = wanted(attack, a->old);
	cr4_before = read_register(REG_CR4);
	a->fault = attack->write(a->new, &a->rip);
	a->seen = read_register(attack->reg);
	if (attack->effect)
		a->mark = attack->effect(a);
	if (a->seen == a->old || attack->undo)
		return;
	if (attack->reg == REG_CR0)
		mov_cr0(a->old, &rip);
	else
		mov_cr4(a->old, &rip);
}

void undo_cr4(void)
{
	unsigned long rip;

	if (read_register(REG_CR4) != cr4_before)
		mov_cr4(cr4_before, &rip);
}

/* Writes to a page that is mapped read-only. */
enum mark wp_effect(const struct attempt *a)
{
	u64 next = precious + 1;

	return poke(&precious, &next, sizeof(next)) ? SEEN : NOT_SEEN;
}

/* Calls code in a user's page from ring 0. With SMEP this is not tried: it would oops. */
enum mark smep_effect(const struct attempt *a)
{
	u64 cr4 = ~0ull;

	if (read_register(REG_CR4) & X86_CR4_SMEP || !tools.read_cr4)
		return NOT_SEEN;
	asm volatile(ANNOTATE_RETPOLINE_SAFE
		     "call *%[code]"
		     : "=a" (cr4), ASM_CALL_CONSTRAINT
		     : [code] "r" (tools.read_cr4) : "memory", "cc");
	return cr4 == read_register(REG_CR4) ? SEEN : NOT_SEEN;
}

/* Reads a user's page from ring 0, with RFLAGS.AC clear. */
enum mark smap_effect(const struct attempt *a)
{
	u64 secret;

	if (read_register(REG_CR4) & X86_CR4_SMAP || !tools.secret)
		return NOT_SEEN;
	asm volatile("mov (%[at]), %[secret]"
		     : [secret] "=r" (secret) : [at] "r" (tools.secret));
	return secret == SECRET ? SEEN : NOT_SEEN;
}

/* With CR0.EM set, SSE instructions are invalid opcodes; no kernel runs long like that. */
enum mark em_effect(const struct attempt *a)
{
	unsigned long fault;
	u32 mxcsr;

	asm volatile("1:	stmxcsr %[mxcsr]\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [fault] "=&r" (fault), [mxcsr] "=m" (mxcsr));
	return fault ? SEEN : NOT_SEEN;
}

/* Calls a user's page that calls the kernel's functions to make its process root's. */
enum mark root_effect(const struct attempt *a)
{
	unsigned long payload = tools.payload;

	if (read_register(REG_CR4) & X86_CR4_SMEP || !payload)
		return NOT_SEEN;
	asm volatile(ANNOTATE_RETPOLINE_SAFE
		     "call *%[code]"
		     : [code] "+a" (payload), ASM_CALL_CONSTRAINT
		     : "D" (commit_creds), "S" (prepare_kernel_cred),
		       "d" (&init_task)
		     : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
	return uid_eq(current_euid(), GLOBAL_ROOT_UID) ? SEEN : NOT_SEEN;
}
