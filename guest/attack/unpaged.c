// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clears CR0.PG, as far as that can be done: from a 32-bit code segment at an
 * address that is its own physical one. Without paging the code writes to a
 * read-only page by its physical address, and comes back.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include "attack.h"
#include "low.h"

#define ENTRIES	512

static u64 *tables;	/* one page each: PGD, P4D, PUD, PMD */

static u64 *table(unsigned int i)
{
	return tables + i * ENTRIES;
}

/*
 * Linux' own address space, but for the lowest GiB, which is mapped to itself.
 * Below 4 GiB, for a 32-bit CR3; NX nowhere, and not for users.
 */
int low_tables(void)
{
	const u64 *kernel;
	unsigned int i = 1;
	unsigned long cr3;

	if (!tables)
		tables = (u64 *)__get_free_pages(GFP_ATOMIC | GFP_DMA32, 2);
	if (!tables)
		return -ENOMEM;
	asm volatile("mov %%cr3, %0" : "=r" (cr3));
	kernel = phys_to_virt(cr3 & PAGE_MASK);
	memset(tables, 0, 4 * PAGE_SIZE);
	memcpy(table(0), kernel, PAGE_SIZE);
	table(0)[0] = virt_to_phys(table(1)) | _KERNPG_TABLE_NOENC;
	/* With 5 levels there is one more. */
	if (read_register(REG_CR4) & X86_CR4_LA57) {
		table(1)[0] = virt_to_phys(table(2)) | _KERNPG_TABLE_NOENC;
		i = 2;
	}
	table(i)[0] = virt_to_phys(table(3)) | _KERNPG_TABLE_NOENC;
	for (u64 n = 0; n < ENTRIES; n++)
		table(3)[n] = n << PMD_SHIFT | _PAGE_PRESENT | _PAGE_RW |
			      _PAGE_PSE | _PAGE_ACCESSED | _PAGE_DIRTY;
	return 0;
}

unsigned long low_address(const u8 *label)
{
	return LOW + (label - low_start);
}

/* Puts the low code in its place. */
struct low_params *low_prepare(void)
{
	struct low_params *params = phys_to_virt(LOW_PARAMS);

	static_assert(offsetof(struct low_params, lstar) == P_LSTAR);
	static_assert(offsetof(struct low_params, target) == P_TARGET);
	if (low_tables())
		return NULL;
	memcpy(phys_to_virt(LOW), low_start, low_end - low_start);
	*params = (struct low_params){
		.cr3 = virt_to_phys(tables),
		.target = (unsigned long)&precious,
		.target_phys = precious_phys(),
	};
	return params;
}

void attack_unpaged(const struct attack *attack, struct attempt *a)
{
	struct low_params *params = low_prepare();
	u64 before = precious;

	a->old = a->seen = read_register(REG_CR0);
	a->new = wanted(attack, a->old);
	a->mark = NOT_SEEN;
	/* That would have to be cleared first, with the policy's leave. */
	if (!params || read_register(REG_CR4) & X86_CR4_PCIDE)
		return;
	params->cr0 = a->new;
	params->back = (unsigned long)unpaged_back;
	a->rip = low_address(low_pg_off);
	landing = (struct landing){
		.at = a->rip, .resume = (unsigned long)unpaged_back,
	};
	unpaged_step(low_address(low_unpaged), params->cr3);
	a->fault = landing.fault;
	landing = (struct landing){};
	if (READ_ONCE(precious) != before) {
		a->mark = SEEN;
		a->seen = a->new;
	}
}
