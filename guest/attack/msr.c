// SPDX-License-Identifier: GPL-2.0-only
/* Writes to MSRs by WRMSR and by VMLOAD, and an attack that uses another LSTAR. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <asm/msr.h>
#include "entry.h"
#include "msr.h"

static u8 *vmcb;	/* a page */
static u64 lstar;

/*
 * Does not touch memory until the write is undone: with EFER.NXE clear, the next TLB miss
 * would kill the guest.
 */
void attack_msr(const struct attack *attack, struct attempt *a)
{
	u32 seen_lo = 0, seen_hi = 0, lo, hi;

	a->old = __rdmsr(attack->reg);
	a->new = wanted(attack, a->old);
	lo = (u32)a->new;
	hi = a->new >> 32;
	asm volatile("1:	wrmsr\n"
		     "	rdmsr\n"
		     "	mov %%eax, %[seen_lo]\n"
		     "	mov %%edx, %[seen_hi]\n"
		     "	mov %[old_lo], %%eax\n"
		     "	mov %[old_hi], %%edx\n"
		     "	wrmsr\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:	lea 1b(%%rip), %[rip]\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a" (lo), "+d" (hi), [seen_lo] "+&r" (seen_lo),
		       [seen_hi] "+&r" (seen_hi), [fault] "=&r" (a->fault),
		       [rip] "=&r" (a->rip)
		     : "c" (attack->reg), [old_lo] "r" ((u32)a->old),
		       [old_hi] "r" ((u32)(a->old >> 32)));
	a->seen = a->fault ? __rdmsr(attack->reg) :
			     (u64)seen_hi << 32 | seen_lo;
}

/* Executes VMLOAD although this guest's CPUID has no SVM, on a page as the VMCB. */
void attack_vmload(const struct attack *attack, struct attempt *a)
{
	u64 *field = (u64 *)(vmcb + attack->arg);

	a->old = __rdmsr(attack->reg);
	a->new = wanted(attack, a->old);
	/* Fill in FS, GS, TR and the like, because VMLOAD loads them as well. */
	asm volatile("1:	vmsave %%rax\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:	lea 1b(%%rip), %[rip]\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [fault] "=&r" (a->fault), [rip] "=&r" (a->rip)
		     : "a" (virt_to_phys(vmcb)) : "memory");
	if (!a->fault) {
		WRITE_ONCE(*field, a->new);
		asm volatile("1:	vmload %%rax\n"
			     "	xor %k[fault], %k[fault]\n"
			     "	jmp 3f\n"
			     "2:	mov $1, %k[fault]\n"
			     "3:	lea 1b(%%rip), %[rip]\n"
			     _ASM_EXTABLE(1b, 2b)
			     : [fault] "=&r" (a->fault), [rip] "=&r" (a->rip)
			     : "a" (virt_to_phys(vmcb)) : "memory");
	}
	a->seen = __rdmsr(attack->reg);
	if (!a->fault) {
		WRITE_ONCE(*field, a->old);
		asm volatile("vmload %%rax"
			     : : "a" (virt_to_phys(vmcb)) : "memory");
	}
}

/* Sets our own system-call entry, which answers one number and passes on the others. */
void attack_lstar_hook(const struct attack *attack, struct attempt *a)
{
	a->old = __rdmsr(MSR_LSTAR);
	a->new = (u64)syscall_hook;
	lstar = a->old;
	syscall_original = (void *)a->old;
	asm volatile("1:	wrmsr\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:	lea 1b(%%rip), %[rip]\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [fault] "=&r" (a->fault), [rip] "=&r" (a->rip)
		     : "c" (MSR_LSTAR), "a" ((u32)a->new), "d" (a->new >> 32)
		     : "memory");
	a->seen = __rdmsr(MSR_LSTAR);
}

/* Only if the attack worked: otherwise the write to undo it would be refused as well. */
void undo_lstar_hook(void)
{
	if (__rdmsr(MSR_LSTAR) != lstar)
		wrmsrl(MSR_LSTAR, lstar);
}

int msr_begin(void)
{
	vmcb = (u8 *)get_zeroed_page(GFP_KERNEL);
	return vmcb ? 0 : -ENOMEM;
}

void msr_end(void)
{
	free_page((unsigned long)vmcb);
}
