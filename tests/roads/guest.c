// SPDX-License-Identifier: GPL-2.0-only
/* The code that the guests of the roads share. */
#include "roads.h"

uint8_t l2_stack[STACK_SIZE] __attribute__((aligned(16)));

void guest_pin(void)
{
	set_cr0(get_cr0() | X86_CR0_WP);
	set_cr4(get_cr4() | PIN_CR4);
	say(PINNED, get_cr0(), get_cr4(), 0, 0);
}

void guest_attacked(uint64_t vector)
{
	say(ATTACKED, get_cr0(), get_cr4(), vector, 0);
}

static void put(struct smm_code *code, const void *bytes, size_t size)
{
	memcpy(code->at, bytes, size);
	code->at += size;
}

#define PUT SMM_PUT

void smm_put(struct smm_code *code, const void *bytes, size_t size)
{
	put(code, bytes, size);
}

void smm_begin(struct smm_code *code)
{
	code->at = low(SMM_ENTRY);
}

/* SMM starts in 16 bits with segments of 4 GiB, hence the prefixes. */
void smm_store(struct smm_code *code, uint32_t address, uint32_t value)
{
	PUT(code, 0x67, 0x66, 0xc7, 0x05);	/* movl value, address */
	put(code, &address, sizeof(address));
	put(code, &value, sizeof(value));
}

void smm_and(struct smm_code *code, uint32_t address, uint32_t value)
{
	PUT(code, 0x67, 0x66, 0x81, 0x25);	/* andl value, address */
	put(code, &address, sizeof(address));
	put(code, &value, sizeof(value));
}

void smm_out(struct smm_code *code)
{
	PUT(code, 0x66, 0xe7, SMM_PORT);
}

void smm_mov_cr4_eax(struct smm_code *code)
{
	PUT(code, 0x0f, 0x20, 0xe0);
}

void smm_rsm(struct smm_code *code)
{
	PUT(code, 0x0f, 0xaa);
}

void guest_x2apic(void)
{
	x2apic_enable();
}

void guest_ipi(uint32_t to, uint32_t how)
{
	x2apic_write_reg(APIC_ICR, (uint64_t)to << 32 | APIC_INT_ASSERT | how);
}

void guest_smi(void)
{
	guest_ipi(0, APIC_DEST_SELF | APIC_DM_SMI);
}
