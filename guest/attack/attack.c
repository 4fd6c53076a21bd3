// SPDX-License-Identifier: GPL-2.0-only
/*
 * What somebody with code in the guest's kernel does: writes another value to a
 * register that guards it. `echo lstar > /proc/attack` does it on this CPU;
 * `cat /proc/attack` tells what came of it.
 *
 * A success is read back and undone at once, with interrupts off and without
 * touching memory in between: with EFER.NXE clear the next TLB miss would kill
 * the guest, and with another LSTAR the next system call.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/smp.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <asm/apic.h>
#include <asm/asm.h>
#include <asm/msr.h>

enum where { AN_MSR, A_CR0, A_CR4, AN_INIT, BY_VMLOAD };

struct target {
	const char *name;
	u32 msr;
	u64 set, clear, flip;
	enum where where;
	unsigned int vmcb;	/* where VMLOAD finds it */
};

static const struct target targets[] = {
	{ "lstar", MSR_LSTAR, .flip = 0x40 },
	{ "star", MSR_STAR, .flip = 1ull << 50 },
	{ "cstar", MSR_CSTAR, .flip = 0x40 },
	{ "sfmask", MSR_SYSCALL_MASK, .clear = X86_EFLAGS_AC },
	{ "sysenter_eip", MSR_IA32_SYSENTER_EIP, .flip = 0x40 },
	{ "efer.nxe", MSR_EFER, .clear = EFER_NX },
	{ "efer.sce", MSR_EFER, .clear = EFER_SCE },
	{ "efer.svme", MSR_EFER, .set = EFER_SVME },
	{ "cr0.wp", .clear = X86_CR0_WP, .where = A_CR0 },
	{ "cr4.smep", .clear = X86_CR4_SMEP, .where = A_CR4 },
	{ "cr4.smap", .clear = X86_CR4_SMAP, .where = A_CR4 },
	{ "cr4.umip", .clear = X86_CR4_UMIP, .where = A_CR4 },
	{ "init", .where = AN_INIT },
	{ "vmload.star", MSR_STAR, .flip = 1ull << 50, .where = BY_VMLOAD,
	  .vmcb = 0x600 },
	{ "vmload.lstar", MSR_LSTAR, .flip = 0x40, .where = BY_VMLOAD,
	  .vmcb = 0x608 },
	{ "vmload.cstar", MSR_CSTAR, .flip = 0x40, .where = BY_VMLOAD,
	  .vmcb = 0x610 },
	{ "vmload.sfmask", MSR_SYSCALL_MASK, .clear = X86_EFLAGS_AC,
	  .where = BY_VMLOAD, .vmcb = 0x618 },
	{ "vmload.sysenter_cs", MSR_IA32_SYSENTER_CS, .flip = 0x8,
	  .where = BY_VMLOAD, .vmcb = 0x628 },
	{ "vmload.sysenter_esp", MSR_IA32_SYSENTER_ESP, .flip = 0x40,
	  .where = BY_VMLOAD, .vmcb = 0x630 },
	{ "vmload.sysenter_eip", MSR_IA32_SYSENTER_EIP, .flip = 0x40,
	  .where = BY_VMLOAD, .vmcb = 0x638 },
};

static DEFINE_MUTEX(lock);
static char result[200] = "none\n";
static u8 *vmcb;	/* a page */

struct attempt {
	u64 old, new, seen;
	unsigned long fault, rip;
};

static void attack_msr(const struct target *target, struct attempt *a)
{
	u32 seen_lo = 0, seen_hi = 0, lo = (u32)a->new, hi = a->new >> 32;

	asm volatile("1:	wrmsr\n"
		     "	rdmsr\n"
		     "	mov %%eax, %[seen_lo]\n"
		     "	mov %%edx, %[seen_hi]\n"
		     "	mov %[old_lo], %%eax\n"
		     "	mov %[old_hi], %%edx\n"
		     "	wrmsr\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:	lea 1b(%%rip), %[rip]\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a" (lo), "+d" (hi), [seen_lo] "+&r" (seen_lo),
		       [seen_hi] "+&r" (seen_hi), [fault] "=&r" (a->fault),
		       [rip] "=&r" (a->rip)
		     : "c" (target->msr), [old_lo] "r" ((u32)a->old),
		       [old_hi] "r" ((u32)(a->old >> 32)));
	a->seen = a->fault ? __rdmsr(target->msr) : (u64)seen_hi << 32 | seen_lo;
}

#define ATTACK_CR(name, a)						\
	asm volatile("1:	mov %[new], %%" name "\n"		\
		     "	mov %%" name ", %[seen]\n"			\
		     "	mov %[old], %%" name "\n"			\
		     "	xor %k[fault], %k[fault]\n"			\
		     "	jmp 3f\n"					\
		     "2:	mov $1, %k[fault]\n"			\
		     "	mov %%" name ", %[seen]\n"			\
		     "3:	lea 1b(%%rip), %[rip]\n"		\
		     _ASM_EXTABLE(1b, 2b)				\
		     : [seen] "=&r" ((a)->seen),			\
		       [fault] "=&r" ((a)->fault), [rip] "=&r" ((a)->rip)	\
		     : [old] "r" ((a)->old), [new] "r" ((a)->new) : "memory")

/* An INIT IPI to CPU 1, by the x2APIC: it waits for a start-up IPI for ever. */
static void attack_other_cpu(void)
{
	wrmsrl(APIC_BASE_MSR + (APIC_ICR >> 4),
	       (u64)per_cpu(x86_cpu_to_apicid, 1) << 32 | APIC_DM_INIT |
	       APIC_INT_ASSERT);
}

/* Without SVM in this guest's CPUID, and without a VMCB of a guest of its own. */
static void attack_vmload(const struct target *target, struct attempt *a)
{
	u64 *field = (u64 *)(vmcb + target->vmcb);

	/* FS, GS, TR, and the like: VMLOAD loads them, too. */
	asm volatile("1:	vmsave %%rax\n"
		     "	xor %k[fault], %k[fault]\n"
		     "	jmp 3f\n"
		     "2:	mov $1, %k[fault]\n"
		     "3:	lea 1b(%%rip), %[rip]\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [fault] "=&r" (a->fault), [rip] "=&r" (a->rip)
		     : "a" (virt_to_phys(vmcb)) : "memory");
	if (!a->fault) {
		WRITE_ONCE(*field, a->new);
		asm volatile("1:	vmload %%rax\n"
			     "	xor %k[fault], %k[fault]\n"
			     "	jmp 3f\n"
			     "2:	mov $1, %k[fault]\n"
			     "3:	lea 1b(%%rip), %[rip]\n"
			     _ASM_EXTABLE(1b, 2b)
			     : [fault] "=&r" (a->fault), [rip] "=&r" (a->rip)
			     : "a" (virt_to_phys(vmcb)) : "memory");
	}
	a->seen = __rdmsr(target->msr);
	if (!a->fault) {
		WRITE_ONCE(*field, a->old);
		asm volatile("vmload %%rax"
			     : : "a" (virt_to_phys(vmcb)) : "memory");
	}
}

static u64 current_value(const struct target *target)
{
	u64 value = 0;

	switch (target->where) {
	case AN_MSR:
	case BY_VMLOAD:
		return __rdmsr(target->msr);
	case A_CR0:
		asm volatile("mov %%cr0, %0" : "=r" (value));
		break;
	case A_CR4:
		asm volatile("mov %%cr4, %0" : "=r" (value));
		break;
	case AN_INIT:
		break;
	}
	return value;
}

static void attack(const struct target *target)
{
	struct attempt a = {};
	unsigned long flags;

	local_irq_save(flags);
	a.old = current_value(target);
	a.new = ((a.old | target->set) & ~target->clear) ^ target->flip;
	switch (target->where) {
	case AN_MSR:
		attack_msr(target, &a);
		break;
	case A_CR0:
		ATTACK_CR("cr0", &a);
		break;
	case A_CR4:
		ATTACK_CR("cr4", &a);
		break;
	case AN_INIT:
		attack_other_cpu();
		break;
	case BY_VMLOAD:
		attack_vmload(target, &a);
		break;
	}
	local_irq_restore(flags);

	snprintf(result, sizeof(result),
		 "%s how=module gp=%lu old=%#llx tried=%#llx seen=%#llx rip=%#lx\n",
		 target->name, a.fault, a.old, a.new, a.seen, a.rip);
}

static ssize_t attack_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	char name[32] = "";
	int i;

	if (len >= sizeof(name) || copy_from_user(name, buf, len))
		return -EINVAL;
	strim(name);
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, name))
			continue;
		mutex_lock(&lock);
		attack(&targets[i]);
		mutex_unlock(&lock);
		return len;
	}
	return -EINVAL;
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
	vmcb = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!vmcb)
		return -ENOMEM;
	if (!proc_create("attack", 0600, NULL, &ops)) {
		free_page((unsigned long)vmcb);
		return -ENOMEM;
	}
	return 0;
}

static void __exit attack_exit(void)
{
	remove_proc_entry("attack", NULL);
	free_page((unsigned long)vmcb);
}

module_init(attack_init);
module_exit(attack_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Attacks on a test guest's own registers");
