// SPDX-License-Identifier: GPL-2.0-only
/* Puts code below 1 MiB, with page tables that map it to itself. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/string.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include "access.h"
#include "entry.h"
#include "low.h"
#include "low_code.h"

#define ENTRIES	512

static u64 *tables;	/* one page each: PGD, P4D, PUD, PMD */

static u64 *table(unsigned int i)
{
	return tables + i * ENTRIES;
}

/*
 * Makes a copy of Linux's address space in which the lowest GiB is mapped to itself,
 * executable and not for users. The tables are below 4 GiB, because CR3 has 32 bits there.
 */
static int low_tables(void)
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
	/* With 5-level paging there is one more table. */
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

/* Copies the low code to LOW. */
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
