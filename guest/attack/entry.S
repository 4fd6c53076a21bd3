/* SPDX-License-Identifier: GPL-2.0-only */
/* Code that can't be written in C. */
#include <linux/linkage.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include "tools.h"
#include "low.h"

#define AT(label) (LOW + label - low_start)

.macro save_all
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	pushfq
	mov %rsp, landing_sp(%rip)
.endm

.macro restore_all
	popfq
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
.endm

	.text
/* rop_step(gadget, value): IRET to the gadget with TF set, so that a trap follows it */
	.globl rop_step, rop_back
rop_step:
	save_all
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rsp, %rdx
	push $DATA
	push %rdx
	pushfq
	orq $0x100, (%rsp)
	push $CODE64
	push %rax
	iretq
rop_back:
	ENDBR
	restore_all
	RET

/* unpaged_step(stub, cr3): jumps to the stub, which both address spaces map alike */
	.globl unpaged_step, unpaged_back
unpaged_step:
	save_all
	mov %cr3, %rax
	mov %rax, saved_cr3(%rip)
	mov %rsi, %cr3
	ANNOTATE_RETPOLINE_SAFE
	jmp *%rdi
	int3
unpaged_back:
	ENDBR
	mov landing_sp(%rip), %rsp
	mov saved_cr3(%rip), %rax
	mov %rax, %cr3
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	restore_all
	RET

/* A system-call entry: stack and GS are still the user's. */
	.globl syscall_hook
syscall_hook:
	ENDBR
	cmp $HOOK_NUMBER, %rax
	jne 1f
	mov $HOOKED, %eax
	sysretq
1:
	ANNOTATE_RETPOLINE_SAFE
	jmp *syscall_original(%rip)
	int3

	.data
	.balign 8
	.globl landing_sp, syscall_original
landing_sp:
	.quad 0
syscall_original:
	.quad 0
saved_cr3:
	.quad 0

	.section .rodata
	.balign 16
	.globl low_start, low_end, low_ap_pg, low_ap_wrmsr, low_gp32, low_gp64
	.globl low_unpaged, low_pg_off
/* Code that runs at LOW. The first part is started by a start-up IPI, in real mode. */
low_start:
	.code16
	cli
	mov %cs, %ax
	mov %ax, %ds
	movl $STAGE_REAL, LOW_PARAMS - LOW + P_STAGE
	lgdtl gdt_pointer - low_start
	lidtl idt_pointer - low_start
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $CODE32, $AT(ap32)

	.code32
ap32:
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $LOW_STACK, %esp
	mov $LOW_PARAMS, %ebx
	mov P_CR4(%ebx), %eax
	mov %eax, %cr4
	mov P_CR3(%ebx), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	mov P_EFER(%ebx), %eax
	xor %edx, %edx
	wrmsr
	mov P_CR0(%ebx), %eax
low_ap_pg:
	mov %eax, %cr0
	ljmpl $CODE64, $AT(ap64)

low_gp32:
	movl $STAGE_GP, LOW_PARAMS + P_STAGE
1:	hlt
	jmp 1b

	.code64
ap64:
	mov $LOW_PARAMS, %ebx
	movl $STAGE_PAGED, P_STAGE(%rbx)
	cmpl $LOW_STAYS, P_WHAT(%rbx)
	je stays
	ja sets_lstar
	mov P_TARGET(%rbx), %rax
	incq (%rax)
done:
	movl $STAGE_DONE, P_STAGE(%rbx)
1:	hlt
	jmp 1b
stays:
	incq P_COUNTER(%rbx)
	pause
	jmp stays
sets_lstar:
	mov $0xc0000082, %ecx
	mov P_LSTAR(%rbx), %eax
	mov P_LSTAR + 4(%rbx), %edx
low_ap_wrmsr:
	wrmsr
	jmp done
low_gp64:
	mov $LOW_PARAMS, %ebx
	movl $STAGE_GP, P_STAGE(%rbx)
1:	hlt
	jmp 1b

/*
 * The module jumps here with paging on; this code switches paging off for a moment.
 * Linux's GDT stays loaded, with the same selectors, but can't be read without paging.
 */
low_unpaged:
	mov $LOW_STACK, %esp
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	push $CODE32
	push $AT(unpaged32)
	lretq

	.code32
unpaged32:
	mov $LOW_PARAMS, %esi
	mov P_TARGET_PHYS(%esi), %edi
	mov %cr0, %ebx
	mov P_CR0(%esi), %eax
low_pg_off:
	mov %eax, %cr0
	incl (%edi)			/* no page tables, no read-only page */
	mov %ebx, %cr0
	ljmpl $CODE64, $AT(unpaged64)

	.code64
unpaged64:
	mov LOW_PARAMS + P_BACK, %rax
	jmp *%rax

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* CODE32 */
	.quad 0x00af9b000000ffff	/* CODE64 */
	.quad 0x00cf93000000ffff	/* DATA */
gdt_pointer:
	.word gdt_pointer - gdt - 1
	.long AT(gdt)
idt_pointer:
	.word 32 * 16 - 1
	.long LOW_IDT
low_end:
	.section .note.GNU-stack, "", @progbits
