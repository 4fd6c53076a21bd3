// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 64-bit "kernel" that sets up its system-call entry, as kernels do; then an attacker
 * tries to replace that entry. After each step the guest writes to a port whether it got
 * #GP; after the last step it runs forever.
 */
#include <string.h>

#include "tiny-guest.h"

#define GDT		0x1000
#define IDT		0x2000
#define PML4		0x4000
#define PDPT		0x5000
#define PD		0x6000
#define CODE		0x8000
#define HANDLER		0x9000
#define STACK		0x10000
#define STAR		0xc0000081u
#define LSTAR		0xc0000082u
#define SFMASK		0xc0000084u
#define CR0_WP		0	/* in place of an MSR: the step clears CR0.WP */

static const struct step {
	uint32_t msr;
	uint64_t value;
	const char *why;
} steps[] = {
	{ STAR, 0x0023001000000000, "the kernel sets its segments" },
	{ LSTAR, 0xffffffff81000000, "and its entry" },
	{ SFMASK, 0x47700, "and ends its set-up" },
	{ LSTAR, 0xffffffff81000000, "the kernel writes the same again" },
	{ LSTAR, 0xffffffffdeadb000, "the attacker sets an entry" },
	{ LSTAR, 0, "and tries to clear it" },
	{ SFMASK, 0x47500, "the attacker keeps interrupts on at the entry" },
	{ STAR, 0x0033001000000000, "and other segments" },
	{ CR0_WP, 0, "the attacker makes read-only pages writable" },
};
#define NR_STEPS (sizeof(steps) / sizeof(steps[0]))

const char *guest_step(size_t number)
{
	return number < NR_STEPS ? steps[number].why : NULL;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

static uint8_t *put_wrmsr(uint8_t *at, const struct step *step)
{
	/* mov $msr, %ecx; mov $low, %eax; mov $high, %edx; wrmsr */
	uint8_t code[] = { 0xb9, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0,
			   0xba, 0, 0, 0, 0, 0x0f, 0x30 };

	memcpy(code + 1, &step->msr, 4);
	memcpy(code + 6, &step->value, 4);
	memcpy(code + 11, (const char *)&step->value + 4, 4);
	return put(at, code, sizeof(code));
}

static uint8_t *put_step(uint8_t *at, const struct step *step)
{
	/* xor %esi, %esi; lea report(%rip), %rbx: where to continue after #GP */
	static const uint8_t begin[] = { 0x31, 0xf6, 0x48, 0x8d, 0x1d };
	/* mov %cr0, %rax; btr $16, %eax; mov %rax, %cr0 */
	static const uint8_t clear_wp[] = { 0x0f, 0x20, 0xc0, 0x0f, 0xba,
					    0xf0, 0x10, 0x0f, 0x22, 0xc0 };
	/* mov %esi, %eax; out %al, $GUEST_PORT */
	static const uint8_t report[] = { 0x89, 0xf0, 0xe6, GUEST_PORT };
	uint8_t *distance = put(at, begin, sizeof(begin)), *body = distance + 4;
	uint32_t length;

	at = step->msr == CR0_WP ? put(body, clear_wp, sizeof(clear_wp)) :
				   put_wrmsr(body, step);
	length = (uint32_t)(at - body);
	memcpy(distance, &length, sizeof(length));
	return put(at, report, sizeof(report));
}

static void put_table(uint8_t *memory, unsigned long at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

void guest_write(uint8_t *memory)
{
	static const uint8_t handler[] = {
		0x58,				/* pop %rax: the error code */
		0x48, 0x89, 0x1c, 0x24,		/* mov %rbx, (%rsp) */
		0xff, 0xc6,			/* inc %esi */
		0x48, 0xcf,			/* iretq */
	};
	static const uint8_t for_ever[] = { 0xeb, 0xfe };
	uint8_t *at = memory + CODE;

	put_table(memory, GDT + 8, 0x00af9b000000ffff);	/* 64-bit code */
	put_table(memory, GDT + 16, 0x00cf93000000ffff);	/* data */
	put_table(memory, IDT + 13 * 16, 0x00008e0000080000 | HANDLER);
	put_table(memory, PML4, PDPT | 3);
	put_table(memory, PDPT, PD | 3);
	put_table(memory, PD, 0x83);
	put(memory + HANDLER, handler, sizeof(handler));
	for (size_t i = 0; i < NR_STEPS; i++)
		at = put_step(at, &steps[i]);
	put(at, for_ever, sizeof(for_ever));
}

void guest_registers(struct kvm_sregs *sregs, struct kvm_regs *regs)
{
	struct kvm_segment code = { .selector = 8, .type = 11, .s = 1, .l = 1,
				    .present = 1, .g = 1, .limit = ~0u };
	struct kvm_segment data = { .selector = 16, .type = 3, .s = 1, .db = 1,
				    .present = 1, .g = 1, .limit = ~0u };

	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->gdt.base = GDT;
	sregs->gdt.limit = 23;
	sregs->idt.base = IDT;
	sregs->idt.limit = 0xfff;
	sregs->cr0 = 0x80010011;	/* PG, WP, ET, PE */
	sregs->cr3 = PML4;
	sregs->cr4 = 0x20;		/* PAE */
	sregs->efer = 0x500;		/* LMA, LME */
	*regs = (struct kvm_regs){ .rip = CODE, .rsp = STACK, .rflags = 2 };
}
