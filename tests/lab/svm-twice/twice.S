/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine's whole software, for QEMU's TCG with -cpu max -smp 2: does an interrupt
 * that VMRUN injects reach the guest once?
 *
 * CPU 0 is a hypervisor. Each VMRUN of its one guest injects vector 0x40, the guest counts
 * it and exits by VMMCALL. CPU 1 does atomic operations that are not aligned, for each of
 * which the emulator stops all other CPUs, at any moment. When ROUNDS interrupts have been
 * delivered, the serial port gets "injected N taken M" in hexadecimal; M > N is the fault.
 * There are no other interrupts: no timer runs, and IF is 0 in the hypervisor.
 */
	.set ROUNDS, 0x100000
	/* The VMCB; fields by their offsets, as in the AMD64 manual, volume 2, appendix B. */
	.set MISC1, 0x0c; .set MISC2, 0x10; .set ASID, 0x58; .set CODE, 0x70; .set EXIT_INT_INFO, 0x88
	.set EVENT_INJ, 0xa8; .set ES, 0x400; .set CS, 0x410; .set SS, 0x420; .set DS, 0x430; .set GDTR, 0x460
	.set IDTR, 0x480; .set EFER, 0x4d0; .set CR4, 0x548; .set CR3, 0x550; .set CR0, 0x558; .set DR7, 0x560
	.set DR6, 0x568; .set RFLAGS, 0x570; .set RIP, 0x578; .set RSP, 0x5d8

	.code32
	.section .start, "ax"
multiboot:
	.long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	.long multiboot, multiboot, load_end, bss_end, start
	.globl start
start:	/* 4 GB, one to one, in pages of 2 MB */
	mov $pd, %edi
	mov $0x83, %eax
1:	stosl
	movl $0, (%edi)
	add $4, %edi
	add $0x200000, %eax
	jnc 1b
	mov $pdpt, %edi
	mov $pd + 3, %eax
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $4096, %eax
	loop 1b
	movl $pdpt + 3, pml4
	mov $stack0, %esp
	lgdt gdtr
	call long_mode
	ljmp $8, $hypervisor
long_mode:
	mov $0x20, %eax
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x1100, %eax			/* LME, SVME */
	wrmsr
	mov $0x80000011, %eax
	mov %eax, %cr0
	ret

	.code16
ap:	cli					/* copied to 0x8000 */
	xor %ax, %ax
	mov %ax, %ds
	lgdtl 0x8000 + ap_gdtr - ap
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $24, $ap32
ap_gdtr: .word 31
	.long gdt
ap_end:
	.code32
ap32:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $stack1, %esp
	call long_mode
	ljmp $8, $kicker

	.code64
kicker:	lock incq kicked + 61			/* in two cache lines */
	mov $20000, %ecx
1:	loop 1b
	jmp kicker

hypervisor:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack0, %esp
	mov $0xff, %al				/* the PICs' interrupts are all masked */
	out %al, $0x21
	out %al, $0xa1
	mov $0x8000, %edi
	mov $ap, %esi
	mov $ap_end - ap, %ecx
	rep movsb
	mov $0xfee00000, %ebx
	movl $0x1ff, 0xf0(%rbx)			/* the local APIC is on */
	movl $0x000c4500, 0x300(%rbx)		/* INIT, then SIPI, to all others */
	mov $10000000, %ecx
1:	loop 1b
	movl $0x000c4608, 0x300(%rbx)
	mov $hsave, %eax
	xor %edx, %edx
	mov $0xc0010117, %ecx
	wrmsr
	mov $guest_irq, %eax
	mov %ax, idt + 16 * 0x40
	shr $16, %eax
	mov %ax, idt + 16 * 0x40 + 6
	movw $8, idt + 16 * 0x40 + 2
	movw $0x8e00, idt + 16 * 0x40 + 4

	mov $vmcb, %eax
	movl $1 << 31, MISC1(%rax)		/* shutdown */
	movl $3, MISC2(%rax)			/* VMRUN, VMMCALL */
	movl $1, ASID(%rax)
	.irp seg, ES, SS, DS
	movl $0x0c930010, \seg(%rax)
	movl $-1, \seg + 4(%rax)
	.endr
	movl $0x0a9b0008, CS(%rax)
	movl $-1, CS + 4(%rax)
	movl $31, GDTR + 4(%rax)
	movl $gdt, GDTR + 8(%rax)
	movl $4095, IDTR + 4(%rax)
	movl $idt, IDTR + 8(%rax)
	movl $0x1500, EFER(%rax)
	movl $0x20, CR4(%rax)
	movl $pml4, CR3(%rax)
	movl $0x80000011, CR0(%rax)
	movl $0x400, DR7(%rax)
	movl $0xffff0ff0, DR6(%rax)
	movl $0x202, RFLAGS(%rax)
	movl $guest, RIP(%rax)
	movl $guest_stack, RSP(%rax)
	xor %ebp, %ebp				/* injected */
again:	movl $0x80000040, EVENT_INJ(%rax)
	clgi
	vmrun %rax
	cmpl $0x81, CODE(%rax)
	jne broken
	btl $31, EXIT_INT_INFO(%rax)
	jc broken				/* nothing can have prevented its delivery */
	addq $3, RIP(%rax)
	inc %ebp
	cmp $ROUNDS, %ebp
	jb again
	mov $text_injected, %esi
	call print
	mov %ebp, %edi
	call print_hex
	mov $text_taken, %esi
	call print
	mov taken, %edi
	call print_hex
	jmp end
broken:	mov $text_code, %esi
	mov CODE(%rax), %edi
	call print
	call print_hex
end:	mov $'\n', %al
	call putc
	mov $0xf4, %edx				/* isa-debug-exit */
	out %al, %dx
	hlt

print:	lodsb
	test %al, %al
	jz 1f
	call putc
	jmp print
putc:	mov $0x3f8, %edx
	out %al, %dx
1:	ret
print_hex:
	mov $8, %ecx
1:	rol $4, %edi
	mov %edi, %ebx
	and $15, %ebx
	mov digits(%rbx), %al
	call putc
	loop 1b
	ret

guest:	vmmcall
	jmp guest
guest_irq:
	incl taken
	iretq

	.data
	.align 16
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdtr:	.word 31
	.long gdt
digits:	.ascii "0123456789abcdef"
text_injected: .asciz "injected "
text_taken: .asciz " taken "
text_code: .asciz "broken: exit code "
	.bss
	.align 4096
vmcb:	.skip 4096
hsave:	.skip 4096
idt:	.skip 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4 * 4096
	.skip 4096
stack0:	.skip 4096
stack1:	.skip 4096
guest_stack: .skip 64
kicked:	.skip 128
taken:	.skip 8
