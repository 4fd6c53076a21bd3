// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends INIT and a start-up IPI to CPU 1: it restarts in our code, with every protection
 * off, whether Linux runs on it, has taken it offline, or never started it.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include "access.h"
#include "entry.h"
#include "low.h"
#include "low_code.h"
#include "other_cpu.h"

#define GP 13

static void ipi(u32 how)
{
	wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4),
	       (u64)per_cpu(x86_cpu_to_apicid, 1) << 32 | APIC_INT_ASSERT |
	       how);
}

/*
 * One IDT for both modes: a gate has 8 bytes in 32-bit mode and 16 in 64-bit mode, so the
 * gates of #GP are at different places.
 */
static void make_idt(void)
{
	u64 *idt = phys_to_virt(LOW_IDT);
	u64 gp32 = low_address(low_gp32), gp64 = low_address(low_gp64);

	memset(idt, 0, 32 * 16);
	idt[GP] = (gp32 & 0xffff) | (u64)CODE32 << 16 | 0x8e00ull << 32 |
		  (gp32 & 0xffff0000) << 32;
	idt[2 * GP] = (gp64 & 0xffff) | (u64)CODE64 << 16 | 0x8e00ull << 32 |
		      (gp64 & 0xffff0000) << 32;
}

static bool stopped_growing(const u64 *counter)
{
	u64 before = READ_ONCE(*counter);

	msleep(100);
	return READ_ONCE(*counter) == before;
}

void attack_other_cpu(const struct attack *attack, struct attempt *a)
{
	struct low_params *params = low_prepare();
	u64 before = precious;

	a->mark = NOT_SEEN;
	if (!params)
		return;
	make_idt();
	params->what = attack->arg;
	params->cr4 = X86_CR4_PAE | (read_register(REG_CR4) & X86_CR4_LA57);
	params->efer = EFER_SCE | EFER_LME | EFER_NX;
	params->cr0 = X86_CR0_PG | X86_CR0_PE | X86_CR0_ET;
	if (attack->arg != LOW_WRITES)
		params->cr0 |= X86_CR0_WP;
	params->lstar = __rdmsr(MSR_LSTAR);
	a->old = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET | X86_CR0_PE;
	a->new = params->cr0;
	a->rip = low_address(low_ap_pg);
	if (attack->arg == LOW_LSTAR) {
		a->old = 0;
		a->new = params->lstar;
		a->rip = low_address(low_ap_wrmsr);
	}

	ipi(APIC_DM_INIT);
	msleep(10);
	ipi(APIC_DM_STARTUP | LOW_VECTOR);
	for (int i = 0; i < 200 && READ_ONCE(params->stage) <= STAGE_REAL; i++)
		msleep(5);
	msleep(20);
	a->fault = READ_ONCE(params->stage) == STAGE_GP;
	/* These are not registers: what the CPU did, and its progress. */
	a->seen = READ_ONCE(params->stage);
	switch (attack->arg) {
	case LOW_WRITES:
		a->mark = READ_ONCE(precious) != before ? SEEN : NOT_SEEN;
		break;
	case LOW_STAYS:
		/* Wait by this CPU's clock. The other one counts as long as it runs. */
		for (int i = 0; i < 80 && !stopped_growing(&params->counter); i++)
			;
		a->mark = params->counter && !stopped_growing(&params->counter) ?
				  SEEN : NOT_SEEN;
		break;
	case LOW_LSTAR:
		a->mark = READ_ONCE(params->stage) == STAGE_DONE ? SEEN :
								   NOT_SEEN;
		break;
	}
}
