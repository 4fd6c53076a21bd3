// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attacks by code in the guest's kernel: each writes another value to a register that protects
 * the kernel. `echo lstar > /proc/attack` runs one on the current CPU; `cat /proc/attack`
 * prints the result. guest/attacker.c adds the userspace part.
 *
 * The register is read back, and a successful write is undone at once, with interrupts
 * off. If the effect against which the register protects can be observed, the attack tries it
 * as well, and prints mark=1 if it happened.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include "access.h"
#include "attack.h"
#include "cr.h"
#include "hook.h"
#include "landing.h"
#include "low.h"
#include "msr.h"
#include "other_cpu.h"
#include "smm.h"
#include "unpaged.h"

#define VMCB(at, msr)	.run = attack_vmload, .arg = (at), .reg = (msr)
#define CR0_BIT(bit)	.run = attack_cr, .reg = REG_CR0, .clear = X86_CR0_##bit
#define CR4_BIT(bit)	.run = attack_cr, .reg = REG_CR4, .clear = X86_CR4_##bit

static const struct attack attacks[] = {
	{ "lstar", attack_msr, MSR_LSTAR, .flip = 0x40 },
	{ "star", attack_msr, MSR_STAR, .flip = 1ull << 50 },
	{ "cstar", attack_msr, MSR_CSTAR, .flip = 0x40 },
	{ "sfmask", attack_msr, MSR_SYSCALL_MASK, .clear = X86_EFLAGS_AC },
	{ "sysenter_eip", attack_msr, MSR_IA32_SYSENTER_EIP, .flip = 0x40 },
	{ "efer.nxe", attack_msr, MSR_EFER, .clear = EFER_NX },
	{ "efer.sce", attack_msr, MSR_EFER, .clear = EFER_SCE },
	{ "efer.svme", attack_msr, MSR_EFER, .set = EFER_SVME },
	{ "lstar.hook", attack_lstar_hook, MSR_LSTAR, .undo = undo_lstar_hook },

	{ "cr0.wp", CR0_BIT(WP), .write = mov_cr0, .effect = wp_effect },
	{ "cr4.smep", CR4_BIT(SMEP), .write = mov_cr4, .effect = smep_effect },
	{ "cr4.smap", CR4_BIT(SMAP), .write = mov_cr4, .effect = smap_effect },
	{ "cr4.umip", CR4_BIT(UMIP), .write = mov_cr4, .undo = undo_cr4 },
	{ "cr0.wp.raw", CR0_BIT(WP), .write = raw_cr0, .effect = wp_effect },
	{ "cr4.smep.raw", CR4_BIT(SMEP), .write = raw_cr4,
	  .effect = smep_effect },
	{ "cr4.smap.raw", CR4_BIT(SMAP), .write = raw_cr4,
	  .effect = smap_effect },
	{ "cr4.umip.raw", CR4_BIT(UMIP), .write = raw_cr4, .undo = undo_cr4 },
	{ "cr0.em.lmsw", attack_cr, REG_CR0, .set = X86_CR0_EM, .write = lmsw,
	  .effect = em_effect },
	{ "cr0.pg", attack_unpaged, REG_CR0, .clear = X86_CR0_PG },
	{ "cr4.rop", attack_rop, REG_CR4, .clear = X86_CR4_SMEP,
	  .effect = smep_effect },
	{ "ret2usr", attack_cr, REG_CR4,
	  .clear = X86_CR4_SMEP | X86_CR4_SMAP, .write = mov_cr4,
	  .effect = root_effect, .irqs_on = true },
	{ "syscall.hook", attack_syscall_hook, REG_CR0, .clear = X86_CR0_WP,
	  .undo = undo_syscall_hook },
	{ "smm", attack_smm, REG_CR4, .clear = X86_CR4_SMEP,
	  .effect = smep_effect },
	{ "init", attack_other_cpu, REG_CR0, .arg = LOW_WRITES,
	  .irqs_on = true },
	{ "init.stays", attack_other_cpu, REG_CR0, .arg = LOW_STAYS,
	  .irqs_on = true },
	{ "init.lstar", attack_other_cpu, MSR_LSTAR, .arg = LOW_LSTAR,
	  .irqs_on = true },

	{ "vmload.star", VMCB(0x600, MSR_STAR), .flip = 1ull << 50 },
	{ "vmload.lstar", VMCB(0x608, MSR_LSTAR), .flip = 0x40 },
	{ "vmload.cstar", VMCB(0x610, MSR_CSTAR), .flip = 0x40 },
	{ "vmload.sfmask", VMCB(0x618, MSR_SYSCALL_MASK),
	  .clear = X86_EFLAGS_AC },
	{ "vmload.sysenter_cs", VMCB(0x628, MSR_IA32_SYSENTER_CS),
	  .flip = 0x8 },
	{ "vmload.sysenter_esp", VMCB(0x630, MSR_IA32_SYSENTER_ESP),
	  .flip = 0x40 },
	{ "vmload.sysenter_eip", VMCB(0x638, MSR_IA32_SYSENTER_EIP),
	  .flip = 0x40 },
};

static DEFINE_MUTEX(lock);
static char result[200] = "none\n";
static void (*undo)(void);

static void run(const struct attack *attack)
{
	struct attempt a = { .mark = NO_EFFECT_TO_SEE };
	unsigned long flags = 0;
	int len;

	if (!attack->irqs_on)
		local_irq_save(flags);
	attack->run(attack, &a);
	if (!attack->irqs_on)
		local_irq_restore(flags);
	undo = attack->undo;
	if (undo)
		a.mark = ASK_USER;

	len = scnprintf(result, sizeof(result),
			"%s how=module gp=%lu old=%#llx tried=%#llx seen=%#llx rip=%#lx",
			attack->name, a.fault, a.old, a.new, a.seen, a.rip);
	/* Other effects are checked by the user program, which completes the line. */
	if (a.mark == SEEN || a.mark == NOT_SEEN)
		len += scnprintf(result + len, sizeof(result) - len,
				 " mark=%d", a.mark == SEEN);
	if (a.mark != ASK_USER)
		scnprintf(result + len, sizeof(result) - len, "\n");
}

/* "NAME", or "NAME ADDRESS" of a struct tools, or "undo" */
static ssize_t attack_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	unsigned long address = 0;
	char text[64] = "", name[32];
	ssize_t ret = -EINVAL;

	if (len >= sizeof(text) || copy_from_user(text, buf, len) ||
	    sscanf(text, "%31s %lx", name, &address) < 1)
		return -EINVAL;
	mutex_lock(&lock);
	if (address && copy_from_user(&tools, (void __user *)address,
				      sizeof(tools)))
		ret = -EFAULT;
	else if (!strcmp(name, "undo") && undo)
		undo(), undo = NULL, ret = len;
	for (int i = 0; ret == -EINVAL && i < ARRAY_SIZE(attacks); i++) {
		if (strcmp(attacks[i].name, name))
			continue;
		run(&attacks[i]);
		ret = len;
	}
	mutex_unlock(&lock);
	return ret;
}

static ssize_t attack_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	return simple_read_from_buffer(buf, len, pos, result, strlen(result));
}

static const struct proc_ops ops = {
	.proc_read = attack_read,
	.proc_write = attack_write,
};

static int __init attack_init(void)
{
	int err = msr_begin();

	if (err)
		return err;
	err = landing_begin();
	if (!err && !proc_create("attack", 0600, NULL, &ops)) {
		landing_end();
		err = -ENOMEM;
	}
	if (err)
		msr_end();
	return err;
}

static void __exit attack_exit(void)
{
	remove_proc_entry("attack", NULL);
	landing_end();
	msr_end();
}

module_init(attack_init);
module_exit(attack_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Attacks on a test guest's own registers");
