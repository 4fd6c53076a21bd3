// SPDX-License-Identifier: GPL-2.0-only
/* Access to registers, memory and symbols of the kernel, for all attacks. */
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include "access.h"

struct tools tools;
u64 precious __ro_after_init;

u64 read_register(u32 reg)
{
	u64 value;

	switch (reg) {
	case REG_CR0:
		asm volatile("mov %%cr0, %0" : "=r" (value));
		return value;
	case REG_CR4:
		asm volatile("mov %%cr4, %0" : "=r" (value));
		return value;
	default:
		return __rdmsr(reg);
	}
}

/* Writes to @address, if the page tables and CR0.WP allow it. */
bool poke(void *address, const void *from, size_t size)
{
	const u8 *bytes = from;

	for (size_t i = 0; i < size; i++) {
		unsigned long fault = 0;

		asm volatile("1:	movb %[byte], %[to]\n"
			     "	jmp 3f\n"
			     "2:	mov $1, %k[fault]\n"
			     "3:\n"
			     _ASM_EXTABLE(1b, 2b)
			     : [fault] "+r" (fault),
			       [to] "=m" (((u8 *)address)[i])
			     : [byte] "q" (bytes[i]));
		if (fault)
			return false;
	}
	return true;
}

phys_addr_t precious_phys(void)
{
	return page_to_phys(vmalloc_to_page(&precious)) +
	       offset_in_page(&precious);
}

/* Finds symbols through the one that a kprobe can find, as every rootkit does. */
void *symbol(const char *name)
{
	static unsigned long (*lookup)(const char *name);
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };

	if (!lookup) {
		if (register_kprobe(&probe))
			return NULL;
		lookup = (void *)probe.addr;
		unregister_kprobe(&probe);
	}
	return (void *)lookup(name);
}
