// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes a control register and leaves it changed, as a kernel that is newer than the
 * policy may: `echo "cr4 SET CLEAR" > /proc/crpoke`, with masks in hex, on the current
 * CPU; `cat /proc/crpoke` prints the result. Unlike guest/attack it does not undo
 * anything: choose bits that the kernel doesn't need.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <asm/asm.h>

static DEFINE_MUTEX(lock);
static char result[160] = "none\n";

#define POKE(name, new, seen, fault)					\
	asm volatile("1:	mov %[value], %%" name "\n"		\
		     "	xor %k[err], %k[err]\n"				\
		     "	jmp 3f\n"					\
		     "2:	mov $1, %k[err]\n"			\
		     "3:	mov %%" name ", %[after]\n"		\
		     _ASM_EXTABLE(1b, 2b)				\
		     : [after] "=&r" (seen), [err] "=&r" (fault)	\
		     : [value] "r" (new) : "memory")

static int poke(const char *name, u64 set, u64 clear)
{
	unsigned long flags, fault, old, new, seen;
	bool cr4 = !strcmp(name, "cr4");

	if (!cr4 && strcmp(name, "cr0"))
		return -EINVAL;
	/* The kernel's own copy of CR4 stays unchanged: it does not manage these bits. */
	local_irq_save(flags);
	if (cr4) {
		asm volatile("mov %%cr4, %0" : "=r" (old));
		new = (old | set) & ~clear;
		POKE("cr4", new, seen, fault);
	} else {
		asm volatile("mov %%cr0, %0" : "=r" (old));
		new = (old | set) & ~clear;
		POKE("cr0", new, seen, fault);
	}
	local_irq_restore(flags);
	snprintf(result, sizeof(result),
		 "%s gp=%lu old=%#lx tried=%#lx seen=%#lx\n", name, fault, old,
		 new, seen);
	return 0;
}

static ssize_t crpoke_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	char text[64] = "", name[4];
	u64 set, clear;
	int err;

	if (len >= sizeof(text) || copy_from_user(text, buf, len))
		return -EINVAL;
	if (sscanf(text, "%3s %llx %llx", name, &set, &clear) != 3)
		return -EINVAL;
	mutex_lock(&lock);
	err = poke(name, set, clear);
	mutex_unlock(&lock);
	return err ? err : len;
}

static ssize_t crpoke_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	return simple_read_from_buffer(buf, len, pos, result, strlen(result));
}

static const struct proc_ops ops = {
	.proc_read = crpoke_read,
	.proc_write = crpoke_write,
};

static int __init crpoke_init(void)
{
	return proc_create("crpoke", 0600, NULL, &ops) ? 0 : -ENOMEM;
}

static void __exit crpoke_exit(void)
{
	remove_proc_entry("crpoke", NULL);
}

module_init(crpoke_init);
module_exit(crpoke_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Changes a test guest's own control registers for good");
